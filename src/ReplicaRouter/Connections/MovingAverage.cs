namespace ReplicaRouter;

/// <summary>An exponentially weighted moving average, a tenth new and nine tenths old, that starts with its first sample.</summary>
internal sealed class MovingAverage
{
    private const double Weight = 0.1;

    private double _value;
    private int _samplesSinceProbe;

    /// <summary>0 before the first sample.</summary>
    public double Value => Volatile.Read(ref _value);

    public void Record(double sample)
    {
        double before, after;
        do
        {
            before = Volatile.Read(ref _value);
            after = before == 0 ? sample : before + (Weight * (sample - before));
        }
        while (Interlocked.CompareExchange(ref _value, after, before) != before);
        _samplesSinceProbe++;   // a lost increment does no harm: the question is only whether there was any
    }

    /// <summary>Lets a probe stand in for traffic where there was none, so that a host that was left out can be found fast again.</summary>
    public void RecordProbe(double sample)
    {
        if (Value > 0 && _samplesSinceProbe == 0) Record(sample);
        _samplesSinceProbe = 0;
    }
}
