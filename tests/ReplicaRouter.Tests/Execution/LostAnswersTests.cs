using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Execution;

/// <summary>When waiting for work is useless, as far as no server need be asked. The work's connection waits for no answer.</summary>
public sealed class LostAnswersTests : IDisposable
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(30);

    private readonly TestTopology _topology = new("primary", "analytics");
    private readonly CommandListener _listener = new();
    private readonly TaskCompletionSource<int> _work = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _listener.Dispose();

    /// <summary>Asks about work on the configured primary.</summary>
    private Task<bool> IsLostAsync(CancellationToken caller)
    {
        var (configuration, time) = (_topology.Configuration, _topology.Time);
        var store = new TopologyStore(_topology.Current, time);
        var registry = new HostRegistry(configuration, store, _listener, _ => FakeProbe.Of(Primary(1)), new DataSourceFactory(configuration, NullLoggerFactory.Instance), time, new Random(1), NullLogger.Instance);
        foreach (var host in configuration.Hosts) registry.Add(host);
        var watch = WorkWatch.Rent();
        watch.Watch(new ValueTask<int>(_work.Task));
        var pool = registry.PoolAt(0, configuration.PlanOf(DatabaseOperation.Write));
        return new LostAnswers(configuration, store, time).IsLostAsync(pool, new NpgsqlConnection(), new CommandFlow(), watch, caller).WaitAsync(s_bound, Ct);
    }

    [Fact]
    public async Task Work_is_lost_at_once_when_another_host_is_the_primary()
    {
        _topology.Answer("primary", Replica(100)).Answer("analytics", Primary(100));
        Assert.Equal("analytics", _topology.Current.Primary?.Name);
        Assert.True(await IsLostAsync(Ct));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Work_between_two_commands_waits_for_no_answer_and_goes_on(bool hasPrimary)
    {
        if (hasPrimary) _topology.Answer("primary", Primary(100));
        var lost = IsLostAsync(Ct);
        Assert.False(lost.IsCompleted);
        _topology.Advance(10);
        Assert.False(await lost);
    }

    [Fact]
    public async Task Work_whose_answer_was_only_late_is_not_lost()
    {
        _topology.Answer("primary", Primary(100));
        var lost = IsLostAsync(Ct);
        _work.SetResult(1);
        Assert.False(await lost);
    }

    [Fact]
    public async Task A_caller_that_cancels_ends_the_check()
    {
        _topology.Answer("primary", Primary(100));
        using var caller = new CancellationTokenSource();
        var lost = IsLostAsync(caller.Token);
        await caller.CancelAsync();
        Assert.False(await lost);
    }
}
