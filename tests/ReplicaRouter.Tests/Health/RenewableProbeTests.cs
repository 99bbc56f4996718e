using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Health;

public sealed class RenewableProbeTests : IAsyncDisposable
{
    private readonly Endable _first = new(100);
    private readonly Endable _second = new(200);
    private readonly RenewableProbe _probe;

    public RenewableProbeTests() => _probe = new RenewableProbe(_first);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _probe.DisposeAsync();

    /// <summary>A probe that notes whether it was disposed.</summary>
    private sealed class Endable(ulong lsn) : IHostProbe
    {
        public bool HasEnded { get; private set; }

        public Task<HostAnswer> ProbeAsync(CancellationToken cancellationToken) => Task.FromResult(Primary(lsn));

        public Task<HostAnswer> LoginAsync(CancellationToken cancellationToken) => Task.FromResult(Primary(lsn));

        public ValueTask DisposeAsync()
        {
            HasEnded = true;
            return ValueTask.CompletedTask;
        }
    }

    [Fact]
    public async Task Probes_and_logins_use_the_new_settings_and_the_former_connection_is_closed()
    {
        Assert.Equal((100UL, 100UL), await AskAsync());
        _probe.Renew(_second);
        Assert.Equal((200UL, 200UL), await AskAsync());
        Assert.Equal((true, false), (_first.HasEnded, _second.HasEnded));
    }

    [Fact]
    public async Task The_probe_that_is_in_use_ends_with_its_host()
    {
        _probe.Renew(_second);
        await _probe.DisposeAsync();
        Assert.True(_second.HasEnded);
    }

    private async Task<(ulong Probed, ulong LoggedIn)> AskAsync() => ((await _probe.ProbeAsync(Ct)).InsertLsn!.Value, (await _probe.LoginAsync(Ct)).InsertLsn!.Value);
}
