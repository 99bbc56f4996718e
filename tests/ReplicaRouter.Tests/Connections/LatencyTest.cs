using Microsoft.Extensions.Time.Testing;

namespace ReplicaRouter.Tests.Connections;

/// <summary>One host's latency on one route, by a clock that commands move.</summary>
public abstract class LatencyTest
{
    private protected FakeTimeProvider Time { get; } = new();

    private protected RouteLatency Latency { get; }

    protected LatencyTest() => Latency = new RouteLatency(Time);

    protected void Record(int times, double milliseconds)
    {
        for (var i = 0; i < times; i++) Record(milliseconds);
    }

    /// <summary>One after the other: each begins when the one before has ended.</summary>
    protected void Record(double milliseconds) => Record(Latency, milliseconds);

    private protected void Record(RouteLatency latency, double milliseconds)
    {
        Time.Advance(TimeSpan.FromMilliseconds(milliseconds));
        latency.Record(milliseconds);
    }
}
