using Microsoft.Extensions.Time.Testing;

namespace ReplicaRouter.Tests.Sessions;

public class SessionWatcherTests
{
    /// <summary>Every request carries a forged token: all are counted, and the log gets one line a minute.</summary>
    [Theory]
    [Trait("Failure", "C12")]
    [InlineData(true, 601)]
    [InlineData(false, 600)]
    public void Forged_tokens_do_not_flood_the_log(bool isIgnored, int eventId)
    {
        var (time, logger) = (new FakeTimeProvider(), new RecordingLogger());
        var topology = new TestTopology("primary");
        var counters = new RoutingCounters(topology.Configuration.Routes, topology.Configuration.Sources);
        var watcher = new SessionWatcher(counters, time, logger);
        for (var second = 0; second < 120; second++)
        {
            for (var i = 0; i < 100; i++)
            {
                if (isIgnored) watcher.OnIgnoredToken("it is damaged");
                else watcher.OnFinding(SessionFinding.LostHistory, new WalPosition(1, 1, 100));
            }

            time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(12_000, counters[isIgnored ? RouterEvent.IgnoredToken : RouterEvent.LostHistory]);
        var lines = logger[eventId];
        Assert.Equal(2, lines.Count);
        Assert.Contains("0 more since", lines[0], StringComparison.Ordinal);
        Assert.Contains("5999 more since", lines[1], StringComparison.Ordinal);
    }
}
