namespace ReplicaRouter;

/// <summary>An exponentially weighted moving average, a tenth new and nine tenths old, that starts with its first sample.</summary>
internal sealed class MovingAverage
{
    private const double Weight = 0.1;

    /// <summary>A host that was left out gets no traffic to show that it is fast again. Few probes must be enough.</summary>
    private const double ProbeWeight = 0.5;

    /// <summary>The first commands on cold connections, plans and caches say nothing of a host.</summary>
    private const int MeaningfulSamples = 20;

    private double _value;
    private int _samples;
    private int _samplesAtProbe;

    /// <summary>0 before the first sample.</summary>
    public double Value => Volatile.Read(ref _value);

    /// <summary>The value, or 0 as long as too few samples make it up for hosts to be compared by it.</summary>
    public double Comparable => Volatile.Read(ref _samples) >= MeaningfulSamples ? Value : 0;

    public void Record(double sample)
    {
        Blend(sample, Weight);
        Interlocked.Increment(ref _samples);
    }

    /// <summary>Starts anew: what was measured before says nothing any more.</summary>
    public void Reset()
    {
        Volatile.Write(ref _value, 0);
        Volatile.Write(ref _samples, 0);
    }

    /// <summary>Lets a probe stand in for traffic where there was none since the probe before it.</summary>
    public void RecordProbe(double sample)
    {
        var samples = Volatile.Read(ref _samples);
        if (samples > 0 && samples == _samplesAtProbe) Blend(sample, ProbeWeight);
        _samplesAtProbe = samples;
    }

    private void Blend(double sample, double weight)
    {
        double before, after;
        do
        {
            before = Volatile.Read(ref _value);
            after = before == 0 ? sample : before + (weight * (sample - before));
        }
        while (Interlocked.CompareExchange(ref _value, after, before) != before);
    }
}
