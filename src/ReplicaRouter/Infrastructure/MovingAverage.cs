namespace ReplicaRouter.Infrastructure;

/// <summary>An exponentially weighted moving average that starts with its first sample. Each sample has a weight of a tenth.</summary>
internal sealed class MovingAverage
{
    private const double Weight = 0.1;
    private double _value;

    /// <summary>0 before the first sample.</summary>
    public double Value => Volatile.Read(ref _value);

    public void Reset() => Volatile.Write(ref _value, 0);

    /// <summary>Adds a sample. Ignores negative, infinite and NaN values.</summary>
    public void Record(double sample)
    {
        if (!double.IsFinite(sample) || sample < 0) return;
        // A race between two threads only loses one sample.
        var before = Value;
        Volatile.Write(ref _value, before == 0 ? sample : before + (Weight * (sample - before)));
    }
}
