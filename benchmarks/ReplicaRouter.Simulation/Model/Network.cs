namespace ReplicaRouter.Simulation;

/// <summary>The latency of a packet.</summary>
/// <param name="RoundTripMs">Round-trip time without jitter, in ms.</param>
/// <param name="Loss">Share of lost packets. They are retransmitted after a time-out that doubles.</param>
internal sealed record Network(double RoundTripMs = 0.5, double Loss = 0)
{
    private const double FirstRetransmissionMs = 200;

    public TimeSpan OneWay(Random random)
    {
        var ms = RoundTripMs / 2 * (1 - (0.2 * Math.Log(1 - random.NextDouble())));
        for (var again = FirstRetransmissionMs; Loss > 0 && random.NextDouble() < Loss; again *= 2) ms += again;
        return TimeSpan.FromMilliseconds(ms);
    }
}
