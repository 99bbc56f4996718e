using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Npgsql;
using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Health;

[Collection(ProcessMemoryTests.Name)]
public sealed class HostMonitorTests : IAsyncDisposable
{
    private static readonly HostFailure s_full = new(FailureKind.Full, "too many clients");

    private readonly FakeTimeProvider _time = new();
    private readonly TopologyStore _store;
    private readonly FakeProbe _probe = FakeProbe.Of(Primary(100));
    private readonly HostMonitor _monitor;

    public HostMonitorTests()
    {
        _store = new TopologyStore(TopologySnapshot.Initial(RouterConfigurationBuilder.Build(OptionsFor("primary"))), _time);
        _monitor = NewMonitor();
    }

    private HostSnapshot Host => _store.Current.Hosts[0];

    private HostMonitor NewMonitor(Action<double>? answered = null)
    {
        var configuration = RouterConfigurationBuilder.Build(OptionsFor("primary"));
        return new HostMonitor(configuration.Hosts[0], _probe, _store, configuration.Health, _time, new Random(1), NullLogger.Instance) { Answered = answered };
    }

    /// <summary>Moves the clock, and returns its timestamp.</summary>
    private long Later()
    {
        _time.Advance(TimeSpan.FromMilliseconds(1));
        return _time.GetTimestamp();
    }

    public ValueTask DisposeAsync() => _monitor.DisposeAsync();

    /// <summary>Moves the clock in small steps until the condition holds, because the monitor's loop runs on other threads.</summary>
    private async Task AdvanceUntil(Func<bool> condition)
    {
        for (var step = 0; step < 20_000; step++)
        {
            if (condition()) return;
            _time.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Yield();
            if (step % 50 == 49) await Task.Delay(1, TestContext.Current.CancellationToken);
        }

        Assert.Fail("The condition never became true.");
    }

    [Fact]
    public async Task A_healthy_host_is_recognized_and_probed_repeatedly()
    {
        _monitor.Start();
        await AdvanceUntil(() => _probe.Probes >= 10);
        Assert.Equal(HostState.Healthy, Host.State);
    }

    [Fact]
    public async Task Concurrent_requests_while_a_probe_ends_never_block_later_probes()
    {
        _probe.Answer = async _ =>
        {
            await Task.Yield();
            return Primary(100);
        };
        // Once in a few thousand calls a probe ends between the check whether it is running and queueing behind it.
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            for (var i = 0; i < 20_000; i++) await _monitor.ProbeNowAsync();
        })));
        var probes = _probe.Probes;
        await _monitor.ProbeNowAsync();
        Assert.True(_probe.Probes > probes, "The host is no longer probed.");
    }

    [Fact]
    public async Task Callers_that_ask_during_a_probe_share_one_further_probe()
    {
        var pending = new TaskCompletionSource<HostAnswer>();
        _probe.Answer = _ => pending.Task;
        Task[] callers = [.. Enumerable.Range(0, 5).Select(_ => _monitor.ProbeNowAsync())];
        Assert.Equal(1, _probe.Probes);
        pending.SetResult(Primary(100));
        await Task.WhenAll(callers);
        Assert.Equal(2, _probe.Probes);
    }

    [Fact]
    [Trait("Failure", "B8")]
    public async Task Three_probes_missed_while_the_process_was_suspended_do_not_count_and_the_fourth_does()
    {
        await _monitor.ProbeNowAsync();
        _probe.Answer = _ => new TaskCompletionSource<HostAnswer>().Task;
        for (var pause = 1; pause <= 4; pause++)
        {
            var probing = _monitor.ProbeNowAsync();
            _time.Advance(TimeSpan.FromMinutes(1));
            await probing;
            Assert.Equal(pause <= 3, Host.IsAnswering);
        }
    }

    [Fact]
    public async Task A_probe_that_throws_does_not_end_the_loop()
    {
        _probe.Answer = _ => throw new InvalidOperationException("a defect");
        _monitor.Start();
        await AdvanceUntil(() => _probe.Probes >= 5);
        Assert.Equal(HostState.Down, Host.State);
        _probe.Answer = _ => Task.FromResult(Primary(100));
        await AdvanceUntil(() => Host.State == HostState.Healthy);
    }

    [Fact]
    public async Task A_hung_probe_that_ignores_cancellation_is_missed_and_probing_goes_on()
    {
        _monitor.Start();
        await AdvanceUntil(() => Host.State == HostState.Healthy);
        _probe.Answer = _ => new TaskCompletionSource<HostAnswer>().Task;
        await AdvanceUntil(() => Host.State == HostState.Hung);
        _probe.Answer = _ => Task.FromResult(Primary(100));
        await AdvanceUntil(() => Host.State == HostState.Healthy);
    }

    [Fact]
    public async Task A_listener_that_throws_does_not_end_the_loop_H15()
    {
        var calls = 0;
        _store.Changed += (_, _) => { if (++calls < 5) throw new InvalidOperationException("a defect"); };
        _monitor.Start();
        await AdvanceUntil(() => calls >= 8);
    }

    [Fact]
    public async Task A_requested_probe_postpones_the_next_regular_one_but_only_once()
    {
        _monitor.Start();
        await AdvanceUntil(() => Host.State == HostState.Healthy && _probe.Probes >= 3);
        var (before, asked) = (_probe.Probes, 0);
        // 60 s with ten requested probes a second. Without them there would be 60 regular ones.
        for (; asked < 600; asked++)
        {
            await _monitor.ProbeNowAsync();
            _time.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }

        Assert.InRange(_probe.Probes - before - asked, 20, 45);
    }

    [Fact]
    public async Task In_a_large_fleet_a_requested_probe_replaces_a_regular_one()
    {
        // 900 routers may each probe once in 10 s.
        _probe.Answer = _ => Task.FromResult(Primary(100) with { Probers = 900 });
        _monitor.Start();
        await AdvanceUntil(() => Host.State == HostState.Healthy && _probe.Probes >= 3);
        var (before, asked) = (_probe.Probes, 0);
        for (; asked < 400; asked++)
        {
            await _monitor.ProbeNowAsync();
            _time.Advance(TimeSpan.FromSeconds(5));
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }

        // In 2,000 s every other one of the 200 regular probes remains.
        Assert.InRange(_probe.Probes - before - asked, 80, 115);
    }

    [Fact]
    public async Task A_failure_reported_by_a_caller_counts_at_once_and_triggers_a_probe()
    {
        _monitor.Start();
        await AdvanceUntil(() => Host.State == HostState.Healthy);
        _probe.Answer = _ => new TaskCompletionSource<HostAnswer>().Task;
        var before = _probe.Probes;
        _monitor.Report(new HostFailure(FailureKind.Unreachable, "refused"), _time.GetTimestamp());
        Assert.Equal(HostState.Down, Host.State);
        var bound = TimeProvider.System.GetTimestamp();
        while (_probe.Probes == before && TimeProvider.System.GetElapsedTime(bound) < TimeSpan.FromSeconds(10)) await Task.Yield();
        Assert.True(_probe.Probes > before, "A probe must follow although the clock stands still.");
    }

    [Fact]
    public async Task A_failed_login_restricts_the_host_until_a_later_one_succeeds()
    {
        await _monitor.ProbeNowAsync();
        var (earlier, startedAt) = (_time.GetTimestamp(), Later());
        _monitor.ReportLogin(s_full, startedAt);
        Assert.Equal(HostState.Full, Host.State);
        _monitor.ReportLetIn(earlier);
        Assert.Equal(HostState.Full, Host.State);
        _monitor.ReportLetIn(Later());
        Assert.Equal(HostState.Healthy, Host.State);
    }

    [Fact]
    public async Task A_failed_login_that_began_before_one_that_succeeded_says_nothing()
    {
        await _monitor.ProbeNowAsync();
        var (first, second, third) = (Later(), Later(), Later());
        _monitor.ReportLetIn(third);
        _monitor.ReportLetIn(first);
        _monitor.ReportLogin(s_full, second);
        Assert.Equal(HostState.Healthy, Host.State);
        _monitor.ReportLogin(s_full, Later());
        Assert.Equal(HostState.Full, Host.State);
    }

    [Fact]
    public async Task A_faulty_host_is_ejected_for_the_given_time()
    {
        _probe.Answer = _ => Task.FromResult(Replica(100));
        await _monitor.ProbeNowAsync();
        var now = Later();
        _monitor.ReportFaulty("damaged", TimeSpan.FromSeconds(5));
        Assert.Equal(new FaultyHost("damaged", now, now + _time.Ticks(TimeSpan.FromSeconds(5))), Host.Faulty);
        _time.Advance(TimeSpan.FromSeconds(4.9));
        await _monitor.ProbeNowAsync();
        Assert.NotNull(Host.Faulty);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        await _monitor.ProbeNowAsync();
        Assert.Null(Host.Faulty);
    }

    [Fact]
    public async Task A_host_that_was_removed_is_not_reported_as_another_one_may_have_its_index()
    {
        var removed = NewMonitor();
        await _monitor.ProbeNowAsync();
        _monitor.ReportLogin(s_full, Later());
        await removed.DisposeAsync();
        var before = _store.Current;
        removed.Report(new HostFailure(FailureKind.Unreachable, "refused"), Later());
        removed.ReportLogin(s_full, Later());
        removed.ReportLetIn(Later());
        removed.ReportFaulty("damaged", TimeSpan.FromSeconds(5));
        removed.Verify(isLoginStalled: true);
        await removed.ProbeNowAsync();
        Assert.Same(before, _store.Current);
    }

    [Fact]
    public async Task Test_logins_show_that_a_host_accepts_no_new_connections_and_when_it_does_again()
    {
        _probe.Login = _ => Task.FromException<HostAnswer>(new PostgresException("too many clients", "FATAL", "FATAL", PostgresErrorCodes.TooManyConnections));
        _monitor.Start();
        await AdvanceUntil(() => Host.State == HostState.Full);
        _probe.Login = null;
        await AdvanceUntil(() => Host.State == HostState.Healthy);
    }

    [Fact]
    public async Task Only_probes_over_a_connection_that_was_already_open_show_the_usual_latency()
    {
        var answered = 0;
        await using var monitor = NewMonitor(_ => Interlocked.Increment(ref answered));
        _probe.Answer = _ => Task.FromResult(Primary(100) with { ConnectedAt = long.MaxValue });
        monitor.Start();
        await AdvanceUntil(() => _probe.Probes >= 5);
        Assert.Equal(0, Volatile.Read(ref answered));
        _probe.Answer = _ => Task.FromResult(Primary(100));
        await AdvanceUntil(() => Volatile.Read(ref answered) > 0);
    }

    [Theory]
    [InlineData(0, 50)]
    [InlineData(1_000, 50)]
    [InlineData(4_000, 200)]
    [InlineData(20_000, 250)]
    [InlineData(3_600_000, 250)]
    public void Without_a_primary_hosts_are_probed_at_least_four_times_as_often(int goneMs, int pauseMs) =>
        Assert.Equal(TimeSpan.FromMilliseconds(pauseMs), HostMonitor.PauseWithoutPrimary(TimeSpan.FromMilliseconds(goneMs), TimeSpan.FromSeconds(1)));

    [Fact]
    public async Task Memory_stays_flat_over_100_000_rounds_of_answers_failures_and_hangs_H15()
    {
        _probe.Answer = _ => (_probe.Probes % 10) switch
        {
            0 => new TaskCompletionSource<HostAnswer>().Task,
            1 or 2 => Task.FromException<HostAnswer>(new TimeoutException()),
            _ => Task.FromResult(Primary((ulong)_probe.Probes)),
        };
        _monitor.Start();
        await RoundsAsync(10_000);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        await RoundsAsync(100_000);
        var after = GC.GetTotalMemory(forceFullCollection: true);
        Assert.True(after - before < 500_000, $"Memory grew by {after - before:N0} bytes.");
    }

    private async Task RoundsAsync(int rounds)
    {
        var target = _probe.Probes + rounds;
        var bound = TimeProvider.System.GetTimestamp();
        while (_probe.Probes < target)
        {
            _time.Advance(TimeSpan.FromMilliseconds(1300));
            await Task.Yield();
            Assert.True(TimeProvider.System.GetElapsedTime(bound) < TimeSpan.FromMinutes(1), $"{target - _probe.Probes} rounds were left after a minute.");
        }
    }
}
