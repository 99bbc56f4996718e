using System.Collections.Immutable;

namespace ReplicaRouter.Hosts;

/// <summary>Finds discovered hosts that lead to the same server as another host: it would get two shares of the work, and twice the connections.</summary>
internal static class Twins
{
    public static ImmutableArray<HostSnapshot> Mark(ImmutableArray<HostSnapshot> hosts) =>
        hosts.Any(host => host.Configuration.IsDiscovered) ? [.. hosts.Select(host => host with { TwinOf = Find(host, hosts)?.Name })] : hosts;

    /// <summary>Who serves in place of a host. What the configuration names itself comes first.</summary>
    private static HostSnapshot? Find(HostSnapshot host, ImmutableArray<HostSnapshot> hosts) => !host.Configuration.IsDiscovered || host.Answer is not { } answer ? null
        : hosts.FirstOrDefault(other => other.IsServing && other.Answer!.Server == answer.Server
            && (!other.Configuration.IsDiscovered || other.Configuration.Index < host.Configuration.Index));
}
