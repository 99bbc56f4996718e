namespace ReplicaRouter;

/// <summary>How long one route's commands take on one host.</summary>
/// <remarks>
/// A moving geometric mean: among look-ups, a report that takes two hundred times as long weighs as much as five look-ups on a host that is three times as
/// slow, not two hundred. Written by several threads without a lock: what is lost is one sample.
/// </remarks>
internal sealed class RouteLatency(TimeProvider time)
{
    /// <summary>Samples that count.</summary>
    private const int Samples = 5;

    /// <summary>Where there are samples enough to know that they differ by more than this, typically, it takes as many times more as its square to be as sure.</summary>
    private const double Alike = 0.5;
    private const int MostSamples = 40;

    /// <summary>With fewer samples hosts are not compared: the first commands meet cold connections, plans and caches.</summary>
    private const int LeastSamples = 3;

    /// <summary>The weight of a slow sample that is no chance: right after another one, or beyond all that is typical.</summary>
    private const double OutlierWeight = 0.6;

    /// <summary>Typical deviations beyond which a sample is no chance.</summary>
    private const double Outlier = 5;

    /// <summary>What a sample may take longer by chance, in ms: on a busy machine threads and processes wait for a processor now and then.</summary>
    public const double ChanceMs = 10;

    /// <summary>
    /// Samples that make up the share of those that took longer than by chance, and how far that share may be off. They take that much longer on average, whatever is
    /// typical: a host that is starved of CPU time is fast now and then, and stands still in between.
    /// </summary>
    private const int LateSamples = 20;
    private const double LateDoubt = 0.1;

    /// <summary>Typical deviations beyond which a slow sample counts as one right after another one.</summary>
    private const double Repeated = 3;

    /// <summary>Samples that make up the typical deviation.</summary>
    private const int DeviationSamples = 40;

    /// <summary>What one sample adds to the typical deviation at most, as its multiple and at least.</summary>
    private const double MostDeviation = 3;
    private const double LeastMostDeviation = 1;

    /// <summary>How many typical deviations the value may be off.</summary>
    private const double Doubt = 0.6;

    /// <summary>Differences of samples beyond these say no more. As logarithms: twice and ten times what is typical.</summary>
    private static readonly double Slow = Math.Log(2);
    private static readonly double MostDifference = Math.Log(10);

    /// <summary>Until then commands meet logins, cold caches and code that is not compiled yet.</summary>
    private static readonly TimeSpan s_first = TimeSpan.FromSeconds(1);

    private double _value;
    private double _leastValue;
    private double _mostValue;
    private double _late;
    private double _deviation;
    private int _deviations;
    private int _samples;
    private bool _isSlow;
    private long _firstAt;
    private long _slowAt = long.MinValue;
    private bool _isComparable;

    /// <summary>Whether the host, when it is left out for the route, is to be tried again.</summary>
    public Trials Trials { get; } = new(time);

    /// <summary>What is typical, in ms; 0 as long as there are too few samples for hosts to be compared by it.</summary>
    public double Ms => Volatile.Read(ref _isComparable) ? Volatile.Read(ref _value) : 0;

    /// <summary>The least that <see cref="Ms"/> may well be: the more the samples differ, the less of a difference tells hosts apart.</summary>
    public double LeastMs => Volatile.Read(ref _isComparable) ? Volatile.Read(ref _leastValue) : 0;

    /// <summary>The most that <see cref="Ms"/> may well be, where samples are known to differ much; else itself.</summary>
    public double MostMs => Volatile.Read(ref _isComparable) ? Volatile.Read(ref _mostValue) : 0;

    /// <summary>Whether the last sample was slow, by chance or not.</summary>
    public bool WasSlow => Volatile.Read(ref _isSlow);

    public void Record(double milliseconds)
    {
        if (!double.IsFinite(milliseconds) || milliseconds < 0) return;
        // What a trial measures takes the place of what was measured before, however far away from it.
        if (Trials.OnEnded()) (_samples, _late) = (0, _late / 2);
        var sample = Math.Max(milliseconds, 0.001);
        var value = _value > 0 ? _value : sample;
        var difference = _samples == 0 ? Math.Log(sample / value) : Math.Clamp(Math.Log(sample / value), -MostDifference, MostDifference);
        var deviation = _deviation;
        var isSlow = difference > Math.Max(Slow, Repeated * deviation);
        var isBeyondChance = sample > value + ChanceMs;
        if (isSlow && !isBeyondChance && _samples > 0 && IsKnown(milliseconds)) return;
        var wasSlow = _isSlow;
        _isSlow = isSlow;
        var isOutlier = isSlow && (wasSlow || (_isComparable && isBeyondChance && difference > Outlier * deviation));
        value *= Math.Exp(difference * Math.Max(isOutlier ? OutlierWeight : 0, 1.0 / (_samples + 1)));
        _late += ((isBeyondChance ? 1 : 0) - _late) / LateSamples;
        // By the deviation before: what a host that gets slow does to it would make it harder to find.
        var least = Math.Max(value * Math.Exp(-Doubt * deviation), (_late - LateDoubt) * ChanceMs);
        Volatile.Write(ref _leastValue, least - (IsNew() ? ChanceMs : 0));
        Volatile.Write(ref _mostValue, value * Math.Exp(2 * Doubt * Unlikeness));
        Volatile.Write(ref _value, value);
        if (_samples > 0 || _deviations == 0) Deviates(Math.Abs(difference));
        _samples = Math.Min(_samples + 1, SamplesThatCount - 1);
        if (_samples >= LeastSamples) Volatile.Write(ref _isComparable, true);
    }

    /// <summary>Forgets what was measured: it says nothing any more.</summary>
    public void Reset()
    {
        Volatile.Write(ref _isComparable, false);
        (_samples, _late, _deviation, _deviations, _firstAt) = (0, 0, 0, 0, 0);
        Volatile.Write(ref _value, 0);
        Trials.Reset();
    }

    /// <summary>By how much samples are known to differ more than where they are alike.</summary>
    private double Unlikeness => _deviations < DeviationSamples - 1 ? 0 : Math.Max(0, _deviation - Alike);

    private int SamplesThatCount
    {
        get
        {
            var times = 1 + (Unlikeness / Alike);
            return (int)Math.Min(Samples * times * times, MostSamples);
        }
    }

    /// <summary>Whether so little is known that only what is beyond chance tells hosts apart.</summary>
    private bool IsNew()
    {
        if (_firstAt == long.MaxValue) return false;
        if (_firstAt == 0) _firstAt = time.GetTimestamp();
        var isNew = time.GetElapsedTime(_firstAt) < s_first;
        if (!isNew) _firstAt = long.MaxValue;
        return isNew;
    }

    /// <summary>Whether a command that waited was under way already when the last such one ended: what held up both is counted.</summary>
    private bool IsKnown(double milliseconds)
    {
        var now = time.GetTimestamp();
        if (now - time.Ticks(TimeSpan.FromMilliseconds(milliseconds)) < _slowAt) return true;
        _slowAt = now;
        return false;
    }

    private void Deviates(double difference)
    {
        var most = _deviations < LeastSamples ? MostDifference : Math.Max(MostDeviation * _deviation, LeastMostDeviation);
        _deviation += (Math.Min(difference, most) - _deviation) / (_deviations + 1);
        if (_deviations < DeviationSamples - 1) _deviations++;
    }
}
