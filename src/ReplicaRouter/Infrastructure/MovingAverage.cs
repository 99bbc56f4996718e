namespace ReplicaRouter.Infrastructure;

/// <summary>An exponentially weighted moving average, a tenth new and nine tenths old, that starts with its first sample.</summary>
internal sealed class MovingAverage
{
    private const double Weight = 0.1;
    private double _value;

    /// <summary>0 before the first sample.</summary>
    public double Value => Volatile.Read(ref _value);

    /// <summary>Starts again: what was measured before no longer says anything.</summary>
    public void Reset() => Volatile.Write(ref _value, 0);

    /// <summary>Takes in a sample; what no clock gives, as a negative or infinite time or none at all, is refused.</summary>
    public void Record(double sample)
    {
        if (!double.IsFinite(sample) || sample < 0) return;
        // A lost update between two threads is one sample less.
        var before = Value;
        Volatile.Write(ref _value, before == 0 ? sample : before + (Weight * (sample - before)));
    }
}
