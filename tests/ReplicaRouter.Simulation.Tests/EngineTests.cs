namespace ReplicaRouter.Simulation.Tests;

public class EngineTests
{
    private readonly EventQueue _events = new();

    [Fact]
    public void Events_run_by_time_and_in_scheduling_order_at_the_same_time()
    {
        var happened = new List<int>();
        foreach (var (at, what) in new[] { (20, 3), (10, 1), (10, 2), (30, 4) }) _events.At(at, () => happened.Add(what));
        _events.RunUntil(30);
        Assert.Equal([1, 2, 3], happened);
        Assert.Equal(30, _events.Now);
    }

    [Fact]
    public void A_timer_fires_when_due_unless_changed_or_disposed_before()
    {
        var clock = new VirtualClock(_events);
        var fired = new List<long>();
        using var changed = clock.CreateTimer(_ => fired.Add(_events.Now), null, TimeSpan.FromTicks(10), Timeout.InfiniteTimeSpan);
        changed.Change(TimeSpan.FromTicks(20), TimeSpan.FromTicks(15));
        clock.CreateTimer(_ => fired.Add(-1), null, TimeSpan.FromTicks(10), Timeout.InfiniteTimeSpan).Dispose();
        _events.RunUntil(40);
        Assert.Equal([20, 35], fired);
    }

    [Fact]
    public void A_paused_process_runs_no_events_and_then_all_of_them_in_order()
    {
        var clock = new VirtualClock(_events);
        var happened = new List<(int, long)>();
        clock.At(10, () => clock.StandStill(TimeSpan.FromTicks(90)));
        clock.At(20, () => happened.Add((1, _events.Now)));
        clock.At(30, () => happened.Add((2, _events.Now)));
        clock.At(200, () => happened.Add((3, _events.Now)));
        _events.RunUntil(300);
        Assert.Equal([(1, 100L), (2, 100L), (3, 200L)], happened);
    }

    [Fact]
    public async Task An_awaited_delay_resumes_within_the_event_that_ends_it()
    {
        var clock = new VirtualClock(_events);
        var wait = WaitAsync();
        _events.RunUntil(TimeSpan.FromSeconds(1).Ticks);
        Assert.False(wait.IsCompleted);
        _events.RunUntil(TimeSpan.FromSeconds(2).Ticks);
        Assert.True(wait.IsCompleted);
        Assert.Equal(TimeSpan.FromSeconds(1.5).Ticks, await wait);

        async Task<long> WaitAsync()
        {
            await Task.Delay(TimeSpan.FromSeconds(1.5), clock, TestContext.Current.CancellationToken).ConfigureAwait(false);
            return _events.Now;
        }
    }
}
