using System.Collections.Immutable;

namespace ReplicaRouter;

/// <summary>Tells which of the servers out of recovery is the primary. The router follows what it sees; it never promotes.</summary>
/// <remarks>
/// The timeline decides, never the position: a restarted old primary may have written more WAL than the new one. Each promotion
/// raises the timeline by one.
/// </remarks>
internal static class PrimaryElection
{
    /// <summary>Fences every server out of recovery that is not the one primary.</summary>
    public static ImmutableArray<HostSnapshot> Judge(ImmutableArray<HostSnapshot> hosts, int timeline)
    {
        // Two names may lead to one server, as those of services do that follow the roles: that is no second primary.
        var newest = hosts.Where(host => IsCandidate(host) && host.Answer!.Timeline == timeline).DistinctBy(host => host.Answer!.Server).Count();
        return newest == 1 && hosts.Count(IsCandidate) == 1 ? hosts : [.. hosts.Select(host => !IsCandidate(host) ? host : Judge(host, timeline, newest))];
    }

    private static HostSnapshot Judge(HostSnapshot host, int timeline, int newest)
    {
        if (host.Answer!.Timeline < timeline)
        {
            return host with
            {
                State = HostState.Fenced,
                Error = $"{host.Configuration.Endpoint} takes writes on timeline {host.Answer.Timeline}, but the cluster is on {timeline}: " +
                    "it is an old primary. Make it a standby of the new one (pg_rewind).",
            };
        }

        return newest == 1 ? host : host with
        {
            State = HostState.SplitBrain,
            Error = $"{newest} servers take writes on timeline {timeline}: which is right can't be told, so none gets writes. Stop the wrong one.",
        };
    }

    private static bool IsCandidate(HostSnapshot host) => host.Role == HostRole.Primary && host.IsServing;
}
