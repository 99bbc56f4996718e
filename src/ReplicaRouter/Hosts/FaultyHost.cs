using System.Collections.Immutable;

namespace ReplicaRouter.Hosts;

/// <summary>A host that fails many statements that succeed on other hosts: the error for people, the timestamp of the finding, and that of the next trial.</summary>
internal sealed record FaultyHost(string Message, long Since, long Until)
{
    /// <summary>Ejects at most half of the serving replicas: those found first. The other failing ones stay as the last choice of their group.</summary>
    public static ImmutableArray<HostSnapshot> Limit(ImmutableArray<HostSnapshot> hosts)
    {
        var failing = hosts.Where(host => host.State == HostState.Failing).OrderBy(host => host.Faulty!.Since).ToList();
        var most = hosts.Count(host => host.Role == HostRole.Replica && host.IsServing) / 2;
        return [.. hosts.Select(host => failing.IndexOf(host) is >= 0 and var place && host.IsLeftOut != place < most ? host with { IsLeftOut = place < most } : host)];
    }
}
