using System.Collections.Immutable;

namespace ReplicaRouter.Hosts;

/// <summary>A host that fails many statements which other hosts answer: what they met, the timestamp at which that was found, and the one of the next try.</summary>
internal sealed record FaultyHost(string Message, long Since, long Until)
{
    /// <summary>At most half of the replicas that serve are left out; of more, those found first. The others are the last choice of their group.</summary>
    public static ImmutableArray<HostSnapshot> Limit(ImmutableArray<HostSnapshot> hosts)
    {
        var failing = hosts.Where(host => host.State == HostState.Failing).OrderBy(host => host.Faulty!.Since).ToList();
        var most = hosts.Count(host => host.Role == HostRole.Replica && host.IsServing) / 2;
        return [.. hosts.Select(host => failing.IndexOf(host) is >= 0 and var place && host.IsLeftOut != place < most ? host with { IsLeftOut = place < most } : host)];
    }
}
