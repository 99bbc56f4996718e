namespace ReplicaRouter;

/// <summary>Follows a quantile of a stream of numbers, with one number of memory.</summary>
/// <param name="rank">Which one, as 0.95.</param>
/// <remarks>
/// A sample above the estimate raises it by a step times the rank, one below lowers it by a step times the rest: in balance when the share of samples
/// below is the rank. Steps are a twentieth of the estimate. Source: H. Robbins, S. Monro, "A Stochastic Approximation Method", 1951.
/// </remarks>
internal sealed class Quantile(double rank)
{
    private const double Step = 0.05;
    private double _value;

    /// <summary>0 before the first sample.</summary>
    public double Value => Volatile.Read(ref _value);

    public void Record(double sample)
    {
        // A lost update between two threads is one sample less.
        var value = Value;
        Volatile.Write(ref _value, value == 0 ? sample : value * (1 + (Step * (sample > value ? rank : rank - 1))));
    }
}
