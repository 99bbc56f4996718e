namespace ReplicaRouter;

/// <summary>Knows which servers a cluster has at present, as a registry, an orchestrator or a cloud's API does.</summary>
/// <remarks>
/// The router asks again and again, one question at a time. What is missing in an answer is removed, gently; what is new is probed before it serves. An
/// error, a time-out or an empty answer changes nothing: it is counted, and logged once. Which server is the primary, the router observes by itself.
/// </remarks>
public interface IHostDiscoverySource
{
    /// <summary>The source's name in logs and metrics; unique among a router's sources.</summary>
    string Name { get; }

    /// <summary>Finds all hosts that the cluster has now.</summary>
    /// <param name="cancellationToken">Cancelled when <see cref="DiscoveryOptions.Timeout"/> has passed, or the router is disposed of.</param>
    /// <returns>The complete list. To throw is to say nothing.</returns>
    Task<DiscoveryResult> FindHostsAsync(CancellationToken cancellationToken);
}

/// <summary>What a source knows.</summary>
public sealed record DiscoveryResult
{
    /// <param name="hosts">All hosts of the cluster.</param>
    public DiscoveryResult(IReadOnlyList<DiscoveredHost> hosts) => Hosts = hosts;

    /// <summary>All hosts of the cluster. Those that the configuration names itself may be among them, and stay as they are configured.</summary>
    public IReadOnlyList<DiscoveredHost> Hosts { get; init; }

    /// <summary>How long the answer holds, as a time to live of DNS; the source is asked again then.</summary>
    /// <value>Default <see langword="null"/>: <see cref="DiscoveryOptions.Interval"/>. What is below 1 s counts as 1 s, what is above 1 h as 1 h.</value>
    public TimeSpan? ValidFor { get; init; }
}

/// <summary>A server that a source has found. It is connected to as the configured primary is, but for its address.</summary>
public sealed record DiscoveredHost
{
    /// <param name="address">A host name or an IP address.</param>
    /// <param name="port">The port; 1 to 65535.</param>
    public DiscoveredHost(string address, int port) => (Address, Port) = (address, port);

    /// <summary>A host name or an IP address.</summary>
    public string Address { get; init; }

    /// <summary>The port; 1 to 65535.</summary>
    public int Port { get; init; }

    /// <summary>The host's name in the router, by which it stays the same host.</summary>
    /// <value>Default <see langword="null"/>: its address. Where another host has that name, it is called by address and port.</value>
    public string? Name { get; init; }

    /// <summary>The groups that it serves.</summary>
    /// <value>Default <see langword="null"/>: <see cref="DiscoveryOptions.Groups"/>. An empty list has it serve as primary only.</value>
    public IReadOnlyList<string>? Groups { get; init; }

    /// <inheritdoc cref="DatabaseHostOptions.Labels"/>
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <inheritdoc cref="DatabaseHostOptions.Weight"/>
    public int Weight { get; init; } = 1;

    /// <summary>Whether the source takes it for the primary.</summary>
    /// <value>
    /// Default <see langword="false"/>. The router looks there at once, and as long as that server is well it takes no other host of the same answer for the
    /// primary, even one that was promoted. A source that knows no roles leaves it at that for all hosts.
    /// </value>
    public bool IsPrimary { get; init; }

    internal string Endpoint => $"{Address}:{Port}";
}
