using System.Collections.Immutable;
using System.Globalization;

namespace ReplicaRouter.Topology;

/// <summary>Decides which of the servers out of recovery is the primary. The router follows what it sees; it never promotes.</summary>
/// <remarks>The timeline decides, never the position: a restarted old primary can have written more WAL than the new one. Each promotion raises the timeline by one.</remarks>
internal static class PrimaryElection
{
    /// <summary>Takes out of rotation every server out of recovery that is not the one primary, and every host whose timeline is discounted.</summary>
    public static ImmutableArray<HostSnapshot> Judge(ImmutableArray<HostSnapshot> hosts, TimelineBelief belief, NamedLeaders leaders, TimeProvider time)
    {
        hosts = [.. hosts.Select(host => Discount(host, hosts, belief, leaders))];
        // Two names of one server, such as service names that follow the roles, are not two primaries.
        var newest = hosts.Where(host => host.MayBePrimary && host.Answer!.Timeline == belief.Timeline).DistinctBy(host => host.Answer!.Server).Count();
        return [.. hosts.Select(host => host.MayBePrimary ? Judge(host, hosts, belief, newest, time) : host)];
    }

    private static HostSnapshot Discount(HostSnapshot host, ImmutableArray<HostSnapshot> hosts, TimelineBelief belief, NamedLeaders leaders)
    {
        var (endpoint, bit) = (host.Configuration.Endpoint, host.Configuration.Bit);
        if (!host.IsServing) return host;
        if ((belief.Leaping & bit) != 0)
        {
            return With(host, HostState.Misconfigured, string.Create(CultureInfo.InvariantCulture,
                $"{endpoint} shows timeline {host.ShownTimeline}, more than {TimelineBelief.MostAhead} ahead of every other server: promotions don't explain that. ") +
                $"Correct the address in {host.Configuration.Source} or rebuild the server; or, if it is right, {OperatorRuling.HowToAccept(host)}.");
        }

        if ((belief.Outvoted & bit) != 0)
        {
            return With(host, HostState.Fenced, $"{endpoint} takes writes on timeline {host.ShownTimeline}, but its source calls it a replica of {leaders.InPlaceOf(host, hosts)!.Endpoint}, " +
                $"which is healthy. Rebuild it as a standby; or, if it is the right primary, {OperatorRuling.HowToAccept(host)}.");
        }

        return !host.IsRefused ? host : With(host, host.Role == HostRole.Primary ? HostState.Fenced : HostState.OldTimeline,
            $"{endpoint} is on timeline {host.Ruling!.Timeline}, which an operator abandoned by accepting another server. Rebuild it as a standby.");
    }

    private static HostSnapshot Judge(HostSnapshot host, ImmutableArray<HostSnapshot> hosts, TimelineBelief belief, int newest, TimeProvider time)
    {
        if (host.Answer!.Timeline < belief.Timeline) return With(host, HostState.Fenced, WhyFenced(host, hosts, belief, time));
        return newest == 1 ? host : With(host, HostState.SplitBrain,
            $"{newest} servers take writes on timeline {belief.Timeline}. Nothing shows which one is right, so none gets writes. Stop the wrong one.");
    }

    /// <summary>Names the witnesses of the newer timeline. It may come from a promotion by mistake, so no advice given here may destroy the only good server.</summary>
    private static string WhyFenced(HostSnapshot host, ImmutableArray<HostSnapshot> hosts, TimelineBelief belief, TimeProvider time)
    {
        var witnesses = hosts.Where(other => (belief.Witnesses & other.Configuration.Bit) != 0).ToList();
        var fact = $"{host.Configuration.Endpoint} takes writes on timeline {host.Answer!.Timeline}, but the cluster is on {belief.Timeline}: " +
            $"{string.Join(", ", witnesses.Select(witness => Describe(witness, time)))}.";
        var accept = OperatorRuling.HowToAccept(host);
        if (witnesses.Exists(witness => witness.IsAnswering))
        {
            return $"{fact} If that promotion was right, rebuild {host.Name} as a standby of the new primary. If it was a mistake, {accept}, and keep {host.Name}: it may be the only good server.";
        }

        var names = string.Join(" and ", witnesses.Select(witness => witness.Name));
        return $"{fact} Writes acknowledged on the newer timeline would be lost, so {host.Name} gets none. Start {names}; or, if that promotion was a mistake, " +
            $"remove {names} from the configuration, rebuild it as a standby, or {accept}.";
    }

    private static string Describe(HostSnapshot witness, TimeProvider time)
    {
        var does = witness.Role == HostRole.Primary ? "takes writes on it" : "follows it";
        return witness.IsAnswering
            ? $"{witness.Name} {does}"
            : string.Create(CultureInfo.InvariantCulture, $"{witness.Name} was last seen on it and has been silent for {time.GetElapsedTime(witness.LastAnswered!.SentAt).TotalSeconds:0} s");
    }

    private static HostSnapshot With(HostSnapshot host, HostState state, string error) => host with { State = state, Error = error };
}
