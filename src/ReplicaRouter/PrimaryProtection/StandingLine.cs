namespace ReplicaRouter.PrimaryProtection;

/// <summary>Tells when a line of callers is longer than can be served: then waiting only delays all of them, and lets no more through. Not thread-safe: its user has a lock.</summary>
/// <remarks>
/// <para>
/// A line stands when it was never empty, callers were served all the time, and it still grew, in two periods in a row. A burst gets shorter. While a server is stalled no caller is served. And a fixed
/// number of callers that come again and again makes a line that does not grow. All these are waited out. A line stands until it is empty, so that an idle pool refuses no caller. The idea is that of
/// CoDel: what tells is that the line does not go away, not its length (K. Nichols, V. Jacobson, "Controlling Queue Delay", ACM Queue 10(5), 2012).
/// </para>
/// <para>Whether it stands or not, a caller with more ahead than are served within its wait, at the better rate of the last two periods, would wait without effect.</para>
/// </remarks>
internal sealed class StandingLine(TimeProvider time)
{
    /// <summary>Two of them are short enough for 1 % of a minute of overload to be over, and long enough for the line of a short stall to get shorter.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromMilliseconds(150);

    /// <summary>Where no caller is served for longer than this, the server is stalled: what came back before says nothing of a standing line.</summary>
    private static readonly TimeSpan s_stall = Period / 4;

    /// <summary>A line that is served within this is no trouble, even if it grows.</summary>
    public static readonly TimeSpan Harmless = TimeSpan.FromMilliseconds(100);

    /// <summary>A line that is longer by a tenth has grown; less is chance.</summary>
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

    /// <summary>Whether more callers come than can be served.</summary>
    public bool IsStanding { get; private set; }

    /// <summary>Callers served a second; 0 as long as it is not known, as after a stall.</summary>
    private double Rate => !_isEmpty && _rate > 0 && _rateBefore > 0 ? Math.Max(_rate, _rateBefore) : 0;

    /// <summary>Whether a caller is to be refused, rather than to wait in the line.</summary>
    /// <param name="ahead">Callers ahead.</param>
    /// <param name="wait">The time that the caller may wait.</param>
    /// <param name="most">Most callers in a line that stands.</param>
    public bool IsTooLong(int ahead, TimeSpan wait, int most) => (IsStanding && ahead >= most) || (Rate is > 0 and var rate && ahead > rate * wait.TotalSeconds);

    /// <summary>Notes how long the line is. To be called after each change.</summary>
    /// <param name="waiting">Callers in line; 0 also where the line is not for want of places.</param>
    /// <param name="served">Callers served since the last call.</param>
    /// <param name="places">Callers that are served at once.</param>
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
