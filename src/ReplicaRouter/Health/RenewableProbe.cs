namespace ReplicaRouter.Health;

/// <summary>A probe whose place another one can take, when its host is connected to in another way.</summary>
internal sealed class RenewableProbe(IHostProbe first) : IHostProbe
{
    private IHostProbe _current = first;

    public Task<HostAnswer> ProbeAsync(CancellationToken cancellationToken) => Volatile.Read(ref _current).ProbeAsync(cancellationToken);

    public Task<HostAnswer> LoginAsync(CancellationToken cancellationToken) => Volatile.Read(ref _current).LoginAsync(cancellationToken);

    /// <summary>Probes by another one from now on. A question that is under way may be answered or fail.</summary>
    public void Renew(IHostProbe next) => _ = Interlocked.Exchange(ref _current, next).DisposeAsync().AsTask();

    public ValueTask DisposeAsync() => Volatile.Read(ref _current).DisposeAsync();
}
