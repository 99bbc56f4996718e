namespace ReplicaRouter;

/// <summary>Tells a line of callers that stands from a burst: in a line that stands, waiting only delays all, and lets no more through. Not thread-safe: its user has a lock.</summary>
/// <remarks>
/// A line stands when in two periods in a row callers were served all the time, it was never empty, and did not get shorter. A burst gets shorter, and while a server is stalled no caller is
/// served: both are waited out. A line stands until it is empty. So a pool that is idle refuses no caller. The idea is that of CoDel: what tells is that the line does not go away, not its length
/// (K. Nichols, V. Jacobson, "Controlling Queue Delay", ACM Queue 10(5), 2012).
/// </remarks>
/// <param name="time">The clock.</param>
internal sealed class StandingLine(TimeProvider time)
{
    /// <summary>Long enough for a burst to get shorter at 95 % load, short enough for 1 % of a minute of overload to be over.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromMilliseconds(200);

    /// <summary>A line that is shorter by a twentieth is getting shorter.</summary>
    private const double Shorter = 0.95;

    private long _since = time.GetTimestamp();
    private int _longest;
    private int _served;
    private double _perSecond;
    private bool _wasGrowing;

    /// <summary>Whether more callers come than can be served.</summary>
    public bool IsStanding { get; private set; }

    /// <summary>Whether a caller who joins the line, or waits in it, would wait for longer than it may.</summary>
    /// <param name="ahead">Callers ahead.</param>
    /// <param name="wait">The time that the caller may wait.</param>
    /// <param name="most">Most callers in a line that stands.</param>
    public bool IsTooLong(int ahead, TimeSpan wait, int most) => IsStanding && (ahead >= most || ahead > _perSecond * wait.TotalSeconds);

    /// <summary>Notes how long the line is. To be called after each change.</summary>
    /// <param name="waiting">Callers in line; 0 also where the line is not for want of places.</param>
    /// <param name="served">Callers served since the last call.</param>
    /// <param name="places">Callers that are served at once.</param>
    public void Note(int waiting, int served, int places)
    {
        var now = time.GetTimestamp();
        if (waiting == 0)
        {
            (_since, _longest, _served, _wasGrowing, IsStanding) = (now, 0, 0, false, false);
            return;
        }

        _served += served;
        _longest = Math.Max(_longest, waiting);
        var elapsed = time.GetElapsedTime(_since, now);
        if (elapsed < Period) return;
        var isGrowing = waiting >= Shorter * _longest && _served >= places;
        IsStanding |= isGrowing && _wasGrowing;
        _perSecond = _served / elapsed.TotalSeconds;
        (_since, _longest, _served, _wasGrowing) = (now, waiting, 0, isGrowing);
    }
}
