namespace ReplicaRouter.Infrastructure;

/// <summary>Tracks a quantile of a stream of numbers.</summary>
/// <param name="rank">The quantile, for example 0.95; at most 0.97.</param>
/// <remarks>
/// A sample above the estimate raises it by a step times the rank; one below lowers it by a step times the remainder. It is in balance when the share of samples
/// below equals the rank. Steps are a twentieth of the estimate. Source: H. Robbins, S. Monro, "A Stochastic Approximation Method", 1951. At first, steps are larger, and the
/// rank is the average one of the largest of so few samples; otherwise recovery from a slow first sample would take hundreds of samples. For the same reason it starts again
/// when what it tracked is over, such as a slow start.
/// </remarks>
internal sealed class Quantile(double rank)
{
    private const double FirstStep = 2;

    /// <summary>From this sample on, steps no longer shrink.</summary>
    private const int Settled = 40;

    /// <summary>It starts again after this many samples in a row below this share of the estimate.</summary>
    private const int MostLow = 16;
    private const double Low = 0.25;

    private double _value;
    private int _samples;
    private int _low;

    /// <summary>0 before the first sample.</summary>
    public double Value => Volatile.Read(ref _value);

    public void Record(double sample)
    {
        // A race between two threads only loses one sample.
        var value = Value;
        _low = sample < Low * value ? _low + 1 : 0;
        if (_low >= MostLow) (value, _samples) = (0, 0);
        _samples = Math.Min(_samples + 1, Settled);
        var (step, at) = (FirstStep / _samples, Math.Min(rank, _samples / (_samples + 1.0)));
        Volatile.Write(ref _value, value == 0 ? sample : value * (1 + (step * (sample > value ? at : at - 1))));
    }
}
