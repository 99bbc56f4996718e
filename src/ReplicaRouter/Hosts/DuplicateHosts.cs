using System.Collections.Immutable;

namespace ReplicaRouter.Hosts;

/// <summary>Marks duplicate hosts: discovered ones that are the same server as another host. It would get two shares of the work and twice the connections.</summary>
internal static class DuplicateHosts
{
    public static ImmutableArray<HostSnapshot> Mark(ImmutableArray<HostSnapshot> hosts) =>
        hosts.Any(host => host.Configuration.IsDiscovered) ? [.. hosts.Select(host => host with { DuplicateOf = Find(host, hosts)?.Name })] : hosts;

    /// <summary>Returns the host that serves in place of a duplicate: a configured one, or a discovered one with a lower index.</summary>
    private static HostSnapshot? Find(HostSnapshot host, ImmutableArray<HostSnapshot> hosts) => !host.Configuration.IsDiscovered || host.Answer is not { } answer ? null
        : hosts.FirstOrDefault(other => other.IsServing && other.Answer!.Server == answer.Server
            && (!other.Configuration.IsDiscovered || other.Configuration.Index < host.Configuration.Index));
}
