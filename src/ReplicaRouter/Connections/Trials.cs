namespace ReplicaRouter;

/// <summary>When a host that is left out for one route, as its commands take long there, is tried again, and when it is taken in again.</summary>
/// <remarks>Written by several threads without a lock: what is lost is one choice.</remarks>
internal sealed class Trials(TimeProvider time)
{
    /// <summary>Choices that the first trial costs, which most hosts can pay at once.</summary>
    private const int ChoicesPerTrial = 200;

    /// <summary>
    /// Choices that the next one costs. Of a host that is well one trial in ten is slow by chance, and is not to keep it out for long; but each that fails doubles
    /// it, so that a host that stays slow gets less than a thousandth of them.
    /// </summary>
    private const int ChoicesPerNextTrial = 100;
    private const int MostChoicesPerTrial = 8 * ChoicesPerTrial;

    /// <summary>However many choices there are, a trial costs time, too, and each that fails doubles it: where one takes 100 ms, one after the other would hold up a caller all the time.</summary>
    private static readonly TimeSpan s_firstPause = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan s_longestPause = TimeSpan.FromMilliseconds(1600);

    /// <summary>Choices that one costs while probes take longer than usual, too.</summary>
    private const int ChoicesPerDoubtfulTrial = 50 * ChoicesPerTrial;

    /// <summary>Choices before a host is tried that has not been probed since it was left out: it may have been one sample.</summary>
    private const int ChoicesUnprobed = 200;

    /// <summary>A host that is left out again so soon was well for its trial only, as one with a quota of CPU time: trials go on to cost the time they did.</summary>
    private static readonly TimeSpan s_relapse = TimeSpan.FromSeconds(1);

    /// <summary>By then most hosts that were left out by chance are back.</summary>
    public static readonly TimeSpan AtFirst = TimeSpan.FromMilliseconds(250);

    private int _credit = ChoicesPerTrial;
    private int _needed;
    private int _cost;
    private TimeSpan _pause = s_firstPause;
    private bool _isUnderWay;
    private bool _isJustEnded;
    private bool _isSecond;
    private long _lookedAt = long.MinValue;
    private long _leftOutAt;
    private long _fastSince;
    private long _triedAt = long.MinValue / 2;
    private long _backAt = long.MinValue / 2;

    /// <summary>Whether the last choice left the host out.</summary>
    public bool IsLeftOut { get; private set; }

    /// <summary>Whether it was left out so lately that chance may be the reason, and not again and again.</summary>
    public bool IsJustLeftOut => time.GetElapsedTime(_leftOutAt) < AtFirst;

    /// <summary>
    /// Whether this is the first look at the host in a tick of the coarse clock. That one tells whether it is to be left out: who looks at each of ten thousand choices
    /// a second finds the moment in which chance makes any host seem slow.
    /// </summary>
    public bool IsFirstLook(long now)
    {
        if (now == _lookedAt) return false;
        _lookedAt = now;
        return true;
    }

    /// <summary>Notes that a command has ended there.</summary>
    /// <returns>Whether it was a trial.</returns>
    public bool OnEnded()
    {
        var isTrial = _isUnderWay;
        if (isTrial) (_isUnderWay, _isJustEnded, _credit) = (false, true, 0);
        if (_credit < ChoicesPerTrial) _credit++;
        return isTrial;
    }

    /// <summary>Notes whether a probe took as long as usual.</summary>
    public void OnProbed(bool isUsual)
    {
        // It may be over: what was tried before tells less.
        if (isUsual && _needed == ChoicesPerDoubtfulTrial) (_cost, _pause) = (Math.Min(_cost, MostChoicesPerTrial / 4), TimeSpan.Min(_pause, s_longestPause / 4));
        _needed = isUsual ? _cost : ChoicesPerDoubtfulTrial;
    }

    /// <summary>Whether a host that is left out is to be given a command all the same, to see whether it is still slow. Called by each choice that leaves it out.</summary>
    /// <param name="isIdle">Whether it has nothing under way, as a trial under way.</param>
    /// <param name="isNear">Whether it is slow by so little that chance may be the reason.</param>
    public bool IsDue(bool isIdle, bool isNear)
    {
        if (!IsLeftOut) LeaveOut();
        // A host that has had nothing to do for a while has cold caches: its second command tells. Of one that has been slow so often, one is enough.
        var isSecond = _isJustEnded && isNear && isIdle && !_isSecond && _cost < MostChoicesPerTrial;
        (_isJustEnded, _fastSince) = (false, 0);
        if (_credit < ChoicesPerDoubtfulTrial) _credit++;
        if (isSecond) return _isSecond = _isUnderWay = true;
        if (!isIdle || _credit < _needed) return false;
        var now = time.GetTimestamp();
        if (now - _triedAt < time.Ticks(_pause)) return false;
        _triedAt = now;
        _pause = TimeSpan.Min(2 * _pause, s_longestPause);
        _cost = Math.Min(2 * _cost, MostChoicesPerTrial);
        _needed = Math.Max(_needed, _cost);
        _isSecond = false;
        return _isUnderWay = true;
    }

    /// <summary>Whether a host that was left out, and is fast enough compared with the others now, is to be taken in again: after a trial at once, else when it has been so for a moment.</summary>
    public bool IsToComeBack(long now, long moment)
    {
        if (!_isJustEnded)
        {
            if (_fastSince == 0) _fastSince = now;
            if (now - _fastSince < moment) return false;
        }

        (IsLeftOut, _fastSince, _backAt) = (false, 0, now);
        return true;
    }

    public void Reset() => (_credit, IsLeftOut, _isUnderWay) = (ChoicesPerTrial, false, false);

    private void LeaveOut()
    {
        if (time.GetElapsedTime(_backAt) > s_relapse) (_pause, _leftOutAt) = (s_firstPause, time.GetTimestamp());
        (IsLeftOut, _isSecond, _cost, _needed) = (true, false, ChoicesPerNextTrial / 2, ChoicesPerTrial + ChoicesUnprobed);
    }
}
