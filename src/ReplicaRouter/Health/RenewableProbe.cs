namespace ReplicaRouter.Health;

/// <summary>A probe that can be replaced when its host's connection settings change.</summary>
internal sealed class RenewableProbe(IHostProbe first) : IHostProbe
{
    private IHostProbe _current = first;

    public Task<HostAnswer> ProbeAsync(CancellationToken cancellationToken) => Volatile.Read(ref _current).ProbeAsync(cancellationToken);

    public Task<HostAnswer> LoginAsync(CancellationToken cancellationToken) => Volatile.Read(ref _current).LoginAsync(cancellationToken);

    /// <summary>Switches to another probe. A query in progress can still succeed or fail.</summary>
    public void Renew(IHostProbe next) => _ = Interlocked.Exchange(ref _current, next).DisposeAsync().AsTask();

    public ValueTask DisposeAsync() => Volatile.Read(ref _current).DisposeAsync();
}
