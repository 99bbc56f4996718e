using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Sessions;

/// <summary>A standby whose answers the test gives, one by one, and a clock that nearly stands still unless the test moves it.</summary>
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

    /// <summary>Of two answers to questions of the same moment, the second tells nothing new.</summary>
    private void PassAMoment() => _time.Advance(TimeSpan.FromMilliseconds(0.01));

    private Task<bool?> WaitAsync(ulong lsn) => _waiter.WaitAsync(lsn, s_long, Ct);

    /// <summary>The next question that the standby is asked.</summary>
    private Task<TaskCompletionSource<HostAnswer>> QuestionAsync() => _questions.Reader.ReadAsync(Ct).AsTask().WaitAsync(s_bound, Ct);

    private async Task AnswerAsync(ulong replayed) => (await QuestionAsync()).SetResult(Replica(replayed));

    /// <summary>An operation waits for a position, which the next answer shows.</summary>
    private async Task ReachesAsync(ulong lsn)
    {
        var waiting = WaitAsync(lsn);
        await AnswerAsync(lsn);
        Assert.True(await OutcomeAsync(waiting));
    }

    private static Task<bool?> OutcomeAsync(Task<bool?> waiting) => waiting.WaitAsync(s_bound, Ct);

    [Fact]
    public async Task An_operation_is_woken_when_its_position_is_reached_and_no_sooner()
    {
        var waiting = WaitAsync(150);
        await AnswerAsync(149);
        var question = await QuestionAsync();
        Assert.False(waiting.IsCompleted);
        question.SetResult(Replica(150));
        Assert.True(await OutcomeAsync(waiting));
    }

    [Fact]
    public async Task A_position_that_was_reached_before_costs_no_question()
    {
        Assert.True(await WaitAsync(100));
        Assert.Equal(0, _probe.Probes);
    }

    [Fact]
    public async Task Whatever_question_brought_an_answer_it_wakes()
    {
        var waiting = WaitAsync(150);
        await QuestionAsync();
        Publish(1, Replica(150));
        Assert.True(await OutcomeAsync(waiting));
    }

    [Fact]
    public async Task A_thousand_operations_have_one_question_asked_at_a_time_and_each_is_woken_at_its_own_position()
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
    public async Task Once_no_operation_waits_no_question_follows()
    {
        await ReachesAsync(150);
        await ReachesAsync(200);
        Assert.Equal(2, _probe.Probes);
    }

    [Fact]
    public async Task Operations_that_are_cancelled_leave_nothing_behind()
    {
        using var cancelled = new CancellationTokenSource();
        List<Task<bool?>> waiting = [.. Enumerable.Range(101, 100).Select(lsn => _waiter.WaitAsync((ulong)lsn, s_long, cancelled.Token))];
        var question = await QuestionAsync();
        await cancelled.CancelAsync();
        foreach (var task in waiting) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => OutcomeAsync(task));
        question.SetResult(Replica(100));

        // Were any of them left, the standby would be asked once more before this one comes.
        await ReachesAsync(300);
        Assert.Equal(2, _probe.Probes);
    }

    [Fact]
    public async Task An_operation_whose_time_is_up_is_not_held_up_by_a_question_under_way()
    {
        var waiting = _waiter.WaitAsync(150, TimeSpan.FromMilliseconds(50), Ct);
        await QuestionAsync();
        _time.Advance(TimeSpan.FromMilliseconds(50));
        Assert.Null(await OutcomeAsync(waiting));
    }

    [Fact]
    public async Task A_host_that_is_lost_sends_all_away_at_once()
    {
        List<Task<bool?>> waiting = [.. Enumerable.Range(101, 100).Select(lsn => WaitAsync((ulong)lsn))];
        await QuestionAsync();
        Publish(1, null, new HostFailure(FailureKind.Unreachable, "refused"));
        Assert.All(await Task.WhenAll(waiting).WaitAsync(s_bound, Ct), outcome => Assert.False(outcome));
    }

    [Fact]
    public async Task A_host_that_is_promoted_sends_all_away()
    {
        var waiting = WaitAsync(150);
        await QuestionAsync();
        Publish(1, Primary(120, timeline: 2));
        Assert.False(await OutcomeAsync(waiting));
    }

    [Fact]
    public async Task A_question_without_an_answer_sends_away_who_waits_for_it()
    {
        var waiting = WaitAsync(150);
        (await QuestionAsync()).SetException(new TimeoutException());
        Assert.False(await OutcomeAsync(waiting));
        // The host itself serves on: one miss may be the network's.
        Assert.True(_store.Current.Hosts[1].IsServing);
    }

    [Fact]
    public async Task A_monitor_that_has_ended_lets_no_operation_wait()
    {
        await _monitor.DisposeAsync();
        _hasEnded = true;
        Assert.False(await OutcomeAsync(WaitAsync(150)));
    }

    [Fact]
    public async Task The_longer_an_operation_has_waited_the_longer_is_the_pause_before_the_next_question()
    {
        _ = WaitAsync(150);
        var question = await QuestionAsync();
        _time.Advance(TimeSpan.FromMilliseconds(112));
        question.SetResult(Replica(100));
        // A sixteenth of 112 ms, as long as nothing is known of the standby's pace.
        var passed = 0;
        while (_probe.Probes == 1)
        {
            Assert.True(passed++ < 1000, "The standby is not asked again.");
            await Task.Delay(1, Ct);
            _time.Advance(TimeSpan.FromMilliseconds(1));
        }

        Assert.True(passed >= 7, $"It was asked again after {passed} ms.");
    }

    [Fact]
    public async Task An_operation_that_waits_for_less_than_all_others_does_not_wait_for_their_pause()
    {
        _ = WaitAsync(1_000_000);
        var question = await QuestionAsync();
        _time.Advance(TimeSpan.FromMilliseconds(160));
        question.SetResult(Replica(100));
        var waiting = WaitAsync(101);
        // The clock stands still from here on.
        await AnswerAsync(101);
        Assert.True(await OutcomeAsync(waiting));
    }
}
