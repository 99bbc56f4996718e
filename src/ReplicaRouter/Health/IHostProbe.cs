namespace ReplicaRouter.Health;

internal interface IHostProbe : IAsyncDisposable
{
    /// <summary>Asks once over the connection kept for probes. Throws if the host fails. Cancel only once no further answer will ever be needed.</summary>
    Task<HostAnswer> ProbeAsync(CancellationToken cancellationToken);

    /// <summary>Asks once over a new login: a server can serve open connections and accept no new ones.</summary>
    Task<HostAnswer> LoginAsync(CancellationToken cancellationToken);
}
