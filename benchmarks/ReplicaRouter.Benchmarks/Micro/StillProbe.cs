namespace ReplicaRouter.Benchmarks.Micro;

/// <summary>A probe that always returns the same answer: choosing a host needs no server.</summary>
internal sealed class StillProbe(HostConfiguration host) : IHostProbe
{
    private readonly HostAnswer _answer = new()
    {
        IsInRecovery = !host.IsConfiguredPrimary,
        SystemIdentifier = 1,
        Timeline = 1,
        ReplayTimeline = 1,
        InsertLsn = host.IsConfiguredPrimary ? 100UL : null,
        ReplayLsn = host.IsConfiguredPrimary ? null : 100UL,
        ReceiveLsn = host.IsConfiguredPrimary ? null : 100UL,
        StartedAt = host.Index,
        ServerPort = 5432,
    };

    public Task<HostAnswer> ProbeAsync(CancellationToken cancellationToken) => Task.FromResult(_answer);

    public Task<HostAnswer> LoginAsync(CancellationToken cancellationToken) => Task.FromResult(_answer);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
