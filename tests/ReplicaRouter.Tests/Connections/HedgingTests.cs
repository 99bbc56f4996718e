using Microsoft.Extensions.Time.Testing;

namespace ReplicaRouter.Tests.Connections;

public class HedgingTests
{
    private static readonly TimeSpan s_usual = TimeSpan.FromMilliseconds(10);

    private readonly FakeTimeProvider _time = new();
    private readonly RouterConfiguration _configuration = new TestTopology("primary", "analytics", "background").Configuration;
    private readonly Hedging _hedging;
    private readonly TaskCompletionSource<string> _first = new();
    private Attempt? _firstAttempt;
    private CancellationToken _stop;

    public HedgingTests() => _hedging = new(_configuration.Routes, new RoutingCounters(_configuration.Routes, []), _time);

    private Attempt NewRead() => new(_configuration.PlanOf(DatabaseOperation.Read), default, null, _time) { Host = _configuration.Hosts[1] };

    /// <summary>A read whose first run takes its time, and whose second one answers at once.</summary>
    private async Task ReadAsync()
    {
        for (var i = 0; i < 20; i++)
        {
            await _hedging.RunAsync(NewRead(), (_, _) =>
            {
                _time.Advance(s_usual);
                return Task.FromResult("usual");
            }, TestContext.Current.CancellationToken);
        }

        _firstAttempt = NewRead();
        var read = _hedging.RunAsync(_firstAttempt, (attempt, stop) =>
        {
            if (attempt != _firstAttempt) return Task.FromResult("second");
            _stop = stop;
            return _first.Task;
        }, TestContext.Current.CancellationToken);
        _time.Advance(2 * s_usual);
        Assert.Equal("second", await read);
    }

    [Fact]
    public async Task A_first_run_that_ends_right_after_the_second_one_is_not_stopped()
    {
        await ReadAsync();
        Assert.False(_stop.IsCancellationRequested);
        _first.SetResult("first");
        _time.Advance(2 * s_usual);
        Assert.False(_firstAttempt!.IsBeaten);
    }

    [Fact]
    public async Task A_first_run_that_goes_on_is_stopped()
    {
        await ReadAsync();
        var stopped = new TaskCompletionSource();
        using var _ = _stop.Register(stopped.SetResult);
        _time.Advance(2 * s_usual);
        await stopped.Task.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        Assert.True(_firstAttempt!.IsBeaten);
    }
}
