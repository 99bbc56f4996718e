namespace ReplicaRouter.Tests;

/// <summary>A probe that returns the test's answers at once.</summary>
internal sealed class FakeProbe(Func<CancellationToken, Task<HostAnswer>> answer) : IHostProbe
{
    private int _probes;

    public int Probes => Volatile.Read(ref _probes);

    public Func<CancellationToken, Task<HostAnswer>> Answer { get; set; } = answer;

    public static FakeProbe Of(HostAnswer answer) => new(_ => Task.FromResult(answer));

    public Func<CancellationToken, Task<HostAnswer>>? Login { get; set; }

    public Task<HostAnswer> LoginAsync(CancellationToken cancellationToken) => (Login ?? Answer)(cancellationToken);

    public Task<HostAnswer> ProbeAsync(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _probes);
        return Answer(cancellationToken);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
