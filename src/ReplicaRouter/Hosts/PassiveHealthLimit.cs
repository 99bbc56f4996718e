using System.Collections.Immutable;

namespace ReplicaRouter.Hosts;

/// <summary>Limits how many replicas callers' failures can take out. The cause may be our own network, or a query that breaks its connection on every host.</summary>
internal static class PassiveHealthLimit
{
    /// <summary>
    /// Keeps at most half of the replicas (at least one) down on callers' evidence alone: those that failed first. The others stay suspect, as a last resort, until a
    /// probe confirms the failure.
    /// </summary>
    public static ImmutableArray<HostSnapshot> Limit(ImmutableArray<HostSnapshot> hosts)
    {
        var accused = hosts.Where(host => host is { Role: HostRole.Replica, State: HostState.Down, Last.IsFromCaller: true }).OrderBy(host => host.Last!.SentAt).ToList();
        var most = Math.Max(1, hosts.Count(host => host.Role == HostRole.Replica) / 2);
        return accused.Count <= most ? hosts : [.. hosts.Select(host => accused.IndexOf(host) >= most ? host with { State = HostState.Suspect } : host)];
    }
}
