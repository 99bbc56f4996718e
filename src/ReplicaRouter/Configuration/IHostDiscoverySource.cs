namespace ReplicaRouter;

/// <summary>A source of a cluster's current servers, such as a registry, an orchestrator or a cloud's API.</summary>
/// <remarks>
/// The router queries it repeatedly, one query at a time. A host that is missing from an answer is removed, after its connections in use have had time to
/// finish. A new host is probed before it serves. An error, a time-out or an empty answer changes nothing: it is counted, and logged once. The router itself
/// observes which server is the primary.
/// </remarks>
public interface IHostDiscoverySource
{
    /// <summary>The source's name in logs and metrics; unique among a router's sources.</summary>
    string Name { get; }

    /// <summary>Finds all current hosts of the cluster.</summary>
    /// <param name="cancellationToken">Cancelled after <see cref="DiscoveryOptions.Timeout"/>, or when the router is disposed.</param>
    /// <returns>All hosts. Throw to keep the current ones.</returns>
    Task<DiscoveryResult> FindHostsAsync(CancellationToken cancellationToken);
}

/// <summary>The answer of a discovery source.</summary>
public sealed record DiscoveryResult
{
    /// <param name="hosts">All hosts of the cluster.</param>
    public DiscoveryResult(IReadOnlyList<DiscoveredHost> hosts) => Hosts = hosts;

    /// <summary>All hosts of the cluster. It can include configured hosts, which keep their configuration.</summary>
    public IReadOnlyList<DiscoveredHost> Hosts { get; init; }

    /// <summary>How long the answer is valid, such as a DNS time to live. The source is queried again after that.</summary>
    /// <value>Default <see langword="null"/>: <see cref="DiscoveryOptions.Interval"/>. Values below 1 s count as 1 s, values above 1 h as 1 h.</value>
    public TimeSpan? ValidFor { get; init; }
}

/// <summary>A server found by a discovery source. Except for its address, it uses the connection settings of the configured primary.</summary>
public sealed record DiscoveredHost
{
    /// <param name="address">A host name or an IP address.</param>
    /// <param name="port">The port; 1 to 65535.</param>
    public DiscoveredHost(string address, int port) => (Address, Port) = (address, port);

    /// <summary>A host name or an IP address.</summary>
    public string Address { get; init; }

    /// <summary>The port; 1 to 65535.</summary>
    public int Port { get; init; }

    /// <summary>The host's name in the router, which identifies it across answers.</summary>
    /// <value>Default <see langword="null"/>: its address or, if another host has that name, its address and port.</value>
    public string? Name { get; init; }

    /// <summary>The groups that it serves.</summary>
    /// <value>Default <see langword="null"/>: <see cref="DiscoveryOptions.Groups"/>. With an empty list it serves only as primary.</value>
    public IReadOnlyList<string>? Groups { get; init; }

    /// <inheritdoc cref="DatabaseHostOptions.Labels"/>
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <inheritdoc cref="DatabaseHostOptions.Weight"/>
    public int Weight { get; init; } = 1;

    /// <summary>Whether the source names this host as the primary.</summary>
    /// <value>
    /// Default <see langword="false"/>. The router probes this host at once. While it is healthy, the router accepts no other host of the same answer as the
    /// primary, even a promoted one. A source that does not know roles leaves this false for all hosts.
    /// </value>
    public bool IsPrimary { get; init; }

    internal string Endpoint => $"{Address}:{Port}";
}
