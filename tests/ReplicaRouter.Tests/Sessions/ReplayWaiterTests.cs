using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Sessions;

/// <summary>The test answers each probe of the standby, and the clock barely moves unless the test advances it.</summary>
public sealed class ReplayWaiterTests : IAsyncDisposable
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_long = TimeSpan.FromSeconds(10);

    private readonly FakeTimeProvider _time = new();
    private readonly Channel<TaskCompletionSource<HostAnswer>> _questions = Channel.CreateUnbounded<TaskCompletionSource<HostAnswer>>();
    private readonly TopologyStore _store;
    private readonly FakeProbe _probe;
    private readonly HostMonitor _monitor;
    private readonly ReplayWaiter _waiter;
    private bool _hasEnded;

    public ReplayWaiterTests()
    {
        var configuration = RouterConfigurationBuilder.Build(OptionsFor("primary", "analytics"));
        _store = new TopologyStore(TopologySnapshot.Initial(configuration), _time);
        _probe = new FakeProbe(_ => Ask());
        _monitor = new HostMonitor(configuration.Hosts[1], _probe, _store, configuration.Health, _time, new Random(1), NullLogger.Instance);
        _waiter = new ReplayWaiter(_monitor, _store, _time);
        Publish(0, Primary(100));
        Publish(1, Replica(100));
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        if (!_hasEnded) await _monitor.DisposeAsync();
    }

    private Task<HostAnswer> Ask()
    {
        var question = new TaskCompletionSource<HostAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
        PassAMoment();
        Assert.True(_questions.Writer.TryWrite(question));
        return question.Task;
    }

    private void Publish(int host, HostAnswer? answer, HostFailure? failure = null)
    {
        var now = _time.GetTimestamp();
        _store.Publish(new HostObservation(host, now, now, answer, failure));
        PassAMoment();
    }

    /// <summary>Advances the clock slightly, because of two probes sent at the same timestamp the second answer is ignored.</summary>
    private void PassAMoment() => _time.Advance(TimeSpan.FromMilliseconds(0.01));

    private Task<bool?> WaitAsync(ulong lsn) => _waiter.WaitAsync(lsn, s_long, Ct);

    /// <summary>Returns the next probe of the standby.</summary>
    private Task<TaskCompletionSource<HostAnswer>> QuestionAsync() => _questions.Reader.ReadAsync(Ct).AsTask().WaitAsync(s_bound, Ct);

    private async Task AnswerAsync(ulong replayed) => (await QuestionAsync()).SetResult(Replica(replayed));

    /// <summary>Lets an operation wait for a position that the next answer reaches.</summary>
    private async Task ReachesAsync(ulong lsn)
    {
        var waiting = WaitAsync(lsn);
        await AnswerAsync(lsn);
        Assert.True(await OutcomeAsync(waiting));
    }

    private static Task<bool?> OutcomeAsync(Task<bool?> waiting) => waiting.WaitAsync(s_bound, Ct);

    [Fact]
    public async Task An_operation_is_woken_when_its_position_is_reached_and_not_before()
    {
        var waiting = WaitAsync(150);
        await AnswerAsync(149);
        var question = await QuestionAsync();
        Assert.False(waiting.IsCompleted);
        question.SetResult(Replica(150));
        Assert.True(await OutcomeAsync(waiting));
    }

    [Fact]
    public async Task A_position_that_is_already_reached_needs_no_probe()
    {
        Assert.True(await WaitAsync(100));
        Assert.Equal(0, _probe.Probes);
    }

    [Fact]
    public async Task An_answer_to_any_probe_wakes_waiting_operations()
    {
        var waiting = WaitAsync(150);
        await QuestionAsync();
        Publish(1, Replica(150));
        Assert.True(await OutcomeAsync(waiting));
    }

    [Fact]
    public async Task A_thousand_operations_share_one_probe_at_a_time_and_wake_at_their_positions()
    {
        List<Task<bool?>> waiting = [.. Enumerable.Range(101, 1000).Select(lsn => WaitAsync((ulong)lsn))];
        foreach (var replayed in (ulong[])[100, 600, 600, 1100])
        {
            var question = await QuestionAsync();
            var asked = _probe.Probes;
            Assert.False(_questions.Reader.TryPeek(out _));
            question.SetResult(Replica(replayed));
            await Task.WhenAll(waiting.Take((int)replayed - 100)).WaitAsync(s_bound, Ct);
            Assert.DoesNotContain(waiting.Skip((int)replayed - 100), task => task.IsCompleted);
            Assert.InRange(_probe.Probes, asked, asked + 1);
        }

        Assert.All(await Task.WhenAll(waiting), outcome => Assert.True(outcome));
        Assert.Equal(4, _probe.Probes);
    }

    [Fact]
    public async Task Probing_stops_when_no_operation_waits()
    {
        await ReachesAsync(150);
        await ReachesAsync(200);
        Assert.Equal(2, _probe.Probes);
    }

    [Fact]
    public async Task Cancelled_operations_leave_no_waiters_behind()
    {
        using var cancelled = new CancellationTokenSource();
        List<Task<bool?>> waiting = [.. Enumerable.Range(101, 100).Select(lsn => _waiter.WaitAsync((ulong)lsn, s_long, cancelled.Token))];
        var question = await QuestionAsync();
        await cancelled.CancelAsync();
        foreach (var task in waiting) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => OutcomeAsync(task));
        question.SetResult(Replica(100));

        // A leftover waiter would cause one more probe before this one.
        await ReachesAsync(300);
        Assert.Equal(2, _probe.Probes);
    }

    [Fact]
    public async Task A_time_out_is_not_delayed_by_a_probe_in_flight()
    {
        var waiting = _waiter.WaitAsync(150, TimeSpan.FromMilliseconds(50), Ct);
        await QuestionAsync();
        _time.Advance(TimeSpan.FromMilliseconds(50));
        Assert.Null(await OutcomeAsync(waiting));
    }

    [Fact]
    public async Task All_waiters_leave_a_lost_host_at_once()
    {
        List<Task<bool?>> waiting = [.. Enumerable.Range(101, 100).Select(lsn => WaitAsync((ulong)lsn))];
        await QuestionAsync();
        Publish(1, null, new HostFailure(FailureKind.Unreachable, "refused"));
        Assert.All(await Task.WhenAll(waiting).WaitAsync(s_bound, Ct), outcome => Assert.False(outcome));
    }

    [Fact]
    public async Task All_waiters_leave_a_promoted_host()
    {
        var waiting = WaitAsync(150);
        await QuestionAsync();
        Publish(1, Primary(120, timeline: 2));
        Assert.False(await OutcomeAsync(waiting));
    }

    [Fact]
    public async Task A_failed_probe_ends_the_waits_that_depend_on_it()
    {
        var waiting = WaitAsync(150);
        (await QuestionAsync()).SetException(new TimeoutException());
        Assert.False(await OutcomeAsync(waiting));
        // The host keeps serving, because a single miss can be a network problem.
        Assert.True(_store.Current.Hosts[1].IsServing);
    }

    [Fact]
    public async Task A_disposed_monitor_makes_no_operation_wait()
    {
        await _monitor.DisposeAsync();
        _hasEnded = true;
        Assert.False(await OutcomeAsync(WaitAsync(150)));
    }

    [Fact]
    public async Task The_pause_between_probes_grows_with_the_time_waited()
    {
        _ = WaitAsync(150);
        var question = await QuestionAsync();
        _time.Advance(TimeSpan.FromMilliseconds(112));
        question.SetResult(Replica(100));
        // The pause is a sixteenth of 112 ms while the standby's replay pace is unknown.
        var passed = 0;
        while (_probe.Probes == 1)
        {
            Assert.True(passed++ < 1000, "The standby is not probed again.");
            await Task.Delay(1, Ct);
            _time.Advance(TimeSpan.FromMilliseconds(1));
        }

        Assert.True(passed >= 7, $"It was probed again after {passed} ms.");
    }

    [Fact]
    public async Task An_operation_with_the_nearest_position_does_not_wait_for_the_others_pause()
    {
        _ = WaitAsync(1_000_000);
        var question = await QuestionAsync();
        _time.Advance(TimeSpan.FromMilliseconds(160));
        question.SetResult(Replica(100));
        var waiting = WaitAsync(101);
        // The clock is not advanced from here on.
        await AnswerAsync(101);
        Assert.True(await OutcomeAsync(waiting));
    }
}
