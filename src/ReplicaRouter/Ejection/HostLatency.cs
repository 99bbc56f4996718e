namespace ReplicaRouter.Ejection;

/// <summary>How long one route's commands take on one host, and the evidence that it is slow. Written under the lock of <see cref="OutlierEjection"/>.</summary>
internal sealed class HostLatency
{
    private const int SlowerBuckets = (3 * DurationHistogram.PerDoubling) + 1;

    /// <summary>Samples assumed of a duration that was never seen: the next one may take as long.</summary>
    private const double NeverSeen = 0.5;

    private readonly int[] _counts = new int[DurationHistogram.Size];
    private double _logarithms;

    public int Samples { get; private set; }

    /// <summary>The typical duration, as a natural logarithm of ms: a geometric mean, which a few long samples do not dominate.</summary>
    public double Typical => _logarithms / Samples;

    public long SampledAt { get; private set; } = long.MinValue / 2;

    /// <summary>Evidence that the host is slow, as a natural logarithm; 0 for none.</summary>
    public double Evidence { get; set; }

    public long SlowAt { get; set; } = long.MinValue / 2;

    /// <summary>Whether the last sample counted as evidence that the host is slow.</summary>
    public bool WasSlow { get => Volatile.Read(ref field); set => Volatile.Write(ref field, value); }

    /// <summary>Slow trials since the host was ejected.</summary>
    public int SlowTrials { get; set; }

    /// <summary>Earliest timestamp of an ejected host's next trial.</summary>
    public long TrialAt { get => Volatile.Read(ref field); private set => Volatile.Write(ref field, value); }

    public ProbeSpeed Probes { get => (ProbeSpeed)Volatile.Read(ref _probes); set => Volatile.Write(ref _probes, (int)value); }
    private int _probes;
    private long _trialAfter;
    private long _claimedUntil = long.MinValue / 2;

    public long ReadmittedAt { get; set; } = long.MinValue / 2;

    public void Add(double milliseconds, int history, long now)
    {
        SampledAt = now;
        if (Samples >= 2 * history) Halve();
        _counts[DurationHistogram.BucketOf(milliseconds)]++;
        Samples++;
        _logarithms += Math.Log(milliseconds);
    }

    /// <summary>Plans the next trial: at a timestamp at the earliest, and after a number of commands of the route, unless probes get fast again sooner.</summary>
    public void PlanTrial(long at, long afterCommands)
    {
        Volatile.Write(ref _trialAfter, afterCommands);
        TrialAt = at;
        if (Probes == ProbeSpeed.UsualAgain) Probes = ProbeSpeed.Unknown;
    }

    /// <summary>Notes that a command is the trial. Until it ends, or until <paramref name="until"/>, no other command is one. Needs no lock.</summary>
    public void ClaimTrial(long until) => Volatile.Write(ref _claimedUntil, until);

    /// <summary>Whether an ejected host is due for a trial, given the route's commands so far and the longest wait on a quiet route. Needs no lock.</summary>
    public bool IsTrialDue(long now, long commands, long longest) => now >= TrialAt && now >= Volatile.Read(ref _claimedUntil)
        && (commands >= Volatile.Read(ref _trialAfter) || Probes == ProbeSpeed.UsualAgain || now - TrialAt > longest);

    /// <summary>
    /// Returns how much more likely a sample is on a host 2 to 16 times as slow (or slower, if this one never took so long) than on one as fast; 0 within the tolerance.
    /// </summary>
    public double LikelihoodRatio(double milliseconds, double toleranceMs)
    {
        if (milliseconds <= toleranceMs) return 0;
        var bucket = DurationHistogram.BucketOf(milliseconds);
        var asFast = AsFast(bucket);
        var first = asFast == 0 ? 0 : Math.Max(0, bucket - (4 * DurationHistogram.PerDoubling));
        var last = Math.Min(bucket - DurationHistogram.PerDoubling, DurationHistogram.BucketOf(milliseconds - toleranceMs));
        var slower = 0;
        for (var i = first; i <= last; i++) slower += _counts[i];
        return slower / (double)SlowerBuckets / (asFast + NeverSeen);
    }

    /// <summary>Returns the number of samples that took as long, smoothed over neighbouring buckets, as a few hundred samples are spread unevenly.</summary>
    private double AsFast(int bucket) =>
        ((2 * _counts[bucket]) + _counts[Math.Max(0, bucket - 1)] + _counts[Math.Min(bucket + 1, _counts.Length - 1)]) / 4.0;

    /// <summary>Returns the share of samples that took at least as long, to within a bucket. Never quite 0, as the next sample may take as long.</summary>
    public double ShareFrom(double milliseconds)
    {
        var count = 0;
        for (var i = DurationHistogram.BucketOf(milliseconds); i < _counts.Length; i++) count += _counts[i];
        return (count + 1.0) / (Samples + 1);
    }

    /// <summary>Returns the duration in ms that all but a share of the samples do not exceed.</summary>
    public double Slowest(double share)
    {
        var bucket = _counts.Length - 1;
        for (var left = (int)(share * Samples) - _counts[bucket]; left >= 0 && bucket > 0; left -= _counts[bucket]) bucket--;
        return DurationHistogram.EndOf(bucket);
    }

    private void Halve()
    {
        var before = Samples;
        Samples = 0;
        for (var i = 0; i < _counts.Length; i++) Samples += _counts[i] /= 2;
        _logarithms *= (double)Samples / before;
    }
}
