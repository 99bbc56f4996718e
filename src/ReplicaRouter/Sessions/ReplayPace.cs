namespace ReplicaRouter.Sessions;

/// <summary>Estimates how fast a standby replays while it has something to replay, and when it will reach a position at that pace. Only pauses depend on it.</summary>
internal sealed class ReplayPace(TimeProvider time)
{
    /// <summary>Of two steps that are this far apart, the older one counts half.</summary>
    private static readonly TimeSpan Memory = TimeSpan.FromSeconds(1);

    /// <summary>A standby that stood still for longer was held up, which says nothing about its pace.</summary>
    private static readonly TimeSpan LongestStep = TimeSpan.FromMilliseconds(50);

    private double _bytes;
    private double _milliseconds;
    private ulong _replayed;
    private long? _since;

    /// <summary>Records the position of an answer that was requested at <paramref name="at"/>, while operations wait for more.</summary>
    public void Record(ulong replayed, long at)
    {
        // A standby that went back has crashed in between.
        if (_since is { } since && replayed >= _replayed)
        {
            if (replayed == _replayed) return;
            var step = time.GetElapsedTime(since, at);
            if (step <= LongestStep) Learn(replayed - _replayed, step);
        }

        (_replayed, _since) = (replayed, at);
    }

    /// <summary>Notes that no operation waits, so that the duration of the next step says nothing.</summary>
    public void Interrupt() => _since = null;

    /// <summary>Returns the estimated time until a position is replayed; zero if unknown or overdue.</summary>
    public TimeSpan TimeUntil(ulong lsn, long now)
    {
        if (_since is not { } since || _bytes == 0 || lsn <= _replayed) return TimeSpan.Zero;
        // More than one step would be a guess about a guess.
        var step = Math.Min((lsn - _replayed) / _bytes * _milliseconds, LongestStep.TotalMilliseconds);
        return TimeSpan.Max(TimeSpan.FromMilliseconds(step) - time.GetElapsedTime(since, now), TimeSpan.Zero);
    }

    private void Learn(ulong bytes, TimeSpan step)
    {
        var kept = Memory / (Memory + step);
        _bytes = (kept * _bytes) + bytes;
        _milliseconds = (kept * _milliseconds) + step.TotalMilliseconds;
    }
}
