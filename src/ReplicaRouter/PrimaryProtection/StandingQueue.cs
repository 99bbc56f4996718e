namespace ReplicaRouter.PrimaryProtection;

/// <summary>Detects a queue that is longer than can be served, where waiting delays all callers and lets no more through. Not thread-safe: callers hold a lock.</summary>
/// <remarks>
/// <para>
/// A queue is standing if it was never empty, callers were served all the time, and it still grew, in two periods in a row. The queue of a burst shrinks, a stalled server serves
/// no caller, and the queue of a fixed number of workers that take turns does not grow: all of these are waited out. A queue stays standing until it is empty, so an idle pool
/// refuses no caller. The idea is CoDel's: the sign is that the queue persists, not its length (K. Nichols, V. Jacobson, "Controlling Queue Delay", ACM Queue 10(5), 2012).
/// </para>
/// <para>Even if it is not standing, a caller with more ahead than are served within its wait, at the better rate of the last two periods, would only time out.</para>
/// </remarks>
internal sealed class StandingQueue(TimeProvider time)
{
    /// <summary>Two periods are shorter than 1 % of a minute of overload, and long enough for the queue after a short stall to shrink.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromMilliseconds(150);

    /// <summary>If no caller is served for longer than this, the server is stalled, and what was served before does not indicate a standing queue.</summary>
    private static readonly TimeSpan s_stall = Period / 4;

    /// <summary>A queue that is served within this time is harmless, even if it grows.</summary>
    public static readonly TimeSpan Harmless = TimeSpan.FromMilliseconds(100);

    /// <summary>A queue that is longer by a tenth has grown; less is chance.</summary>
    private const double Growth = 1.1;

    private bool _isEmpty = true;
    private long _since;
    private int _lengthBefore;
    private int _served;
    private long _servedAt;
    private bool _hasStalled;
    private double _rate;
    private double _rateBefore;
    private bool _wasGrowing;

    /// <summary>Whether more callers arrive than can be served.</summary>
    public bool IsStanding { get; private set; }

    /// <summary>Callers served per second; 0 if unknown, as after a stall.</summary>
    private double Rate => !_isEmpty && _rate > 0 && _rateBefore > 0 ? Math.Max(_rate, _rateBefore) : 0;

    /// <summary>Whether to refuse a caller rather than queue it.</summary>
    /// <param name="ahead">Callers ahead.</param>
    /// <param name="wait">How long the caller may wait.</param>
    /// <param name="most">Longest standing queue.</param>
    public bool IsTooLong(int ahead, TimeSpan wait, int most) => (IsStanding && ahead >= most) || (Rate is > 0 and var rate && ahead > rate * wait.TotalSeconds);

    /// <summary>Records the length of the queue. Must be called after each change.</summary>
    /// <param name="waiting">Queued callers; 0 also if they are queued although slots are free.</param>
    /// <param name="served">Callers served since the last call.</param>
    /// <param name="places">Number of slots.</param>
    public void Note(int waiting, int served, int places)
    {
        if (waiting == 0)
        {
            (_isEmpty, IsStanding) = (true, false);
            return;
        }

        var now = time.GetTimestamp();
        if (_isEmpty)
        {
            (_isEmpty, _since, _servedAt, _hasStalled) = (false, now, now, false);
            (_lengthBefore, _served, _rate, _rateBefore, _wasGrowing) = (0, 0, 0, 0, false);
        }

        _hasStalled |= time.GetElapsedTime(_servedAt, now) > s_stall;
        if (served > 0) _servedAt = now;
        _served += served;
        var elapsed = time.GetElapsedTime(_since, now);
        if (elapsed >= Period) EndPeriod(waiting, places, now, elapsed);
    }

    private void EndPeriod(int waiting, int places, long now, TimeSpan elapsed)
    {
        (_rateBefore, _rate) = (_rate, _served / elapsed.TotalSeconds);
        var isGrowing = !_hasStalled && _served >= places && waiting >= Growth * _lengthBefore;
        IsStanding |= isGrowing && _wasGrowing && waiting > Rate * Harmless.TotalSeconds;
        (_since, _lengthBefore, _served, _hasStalled, _wasGrowing) = (now, waiting, 0, false, isGrowing);
    }
}
