using System.Collections.Immutable;

namespace ReplicaRouter.Hosts;

/// <summary>Keeps what callers met from emptying the cluster: it may be our own network, or a query that breaks its connection wherever it runs.</summary>
internal static class CallerEvidence
{
    /// <summary>At most half of the replicas, one at least, are out on callers' word alone. The others stay as a last resort until a probe has confirmed it.</summary>
    public static ImmutableArray<HostSnapshot> Limit(ImmutableArray<HostSnapshot> hosts)
    {
        var accused = hosts.Where(host => host is { Role: HostRole.Replica, State: HostState.Down, Last.IsFromCaller: true }).OrderBy(host => host.Last!.SentAt).ToList();
        var most = Math.Max(1, hosts.Count(host => host.Role == HostRole.Replica) / 2);
        return accused.Count <= most ? hosts : [.. hosts.Select(host => accused.IndexOf(host) >= most ? host with { State = HostState.Suspect } : host)];
    }
}
