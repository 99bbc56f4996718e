namespace ReplicaRouter.Sessions;

/// <summary>How fast a standby replays while there is something to replay, and when it will have reached a position if it goes on like that. A guess, to pause by.</summary>
internal sealed class ReplayPace(TimeProvider time)
{
    /// <summary>Of two steps that lie so far apart, the older one counts for half.</summary>
    private static readonly TimeSpan Memory = TimeSpan.FromSeconds(1);

    /// <summary>A standby that stood still for longer was held up: that tells nothing of its pace.</summary>
    private static readonly TimeSpan LongestStep = TimeSpan.FromMilliseconds(50);

    private double _bytes;
    private double _milliseconds;
    private ulong _replayed;
    private long? _since;

    /// <summary>Notes the position that an answer shows which was asked for at a moment, while operations wait for more.</summary>
    public void Record(ulong replayed, long at)
    {
        // Behind where it was: it has crashed in between.
        if (_since is { } since && replayed >= _replayed)
        {
            if (replayed == _replayed) return;
            var step = time.GetElapsedTime(since, at);
            if (step <= LongestStep) Learn(replayed - _replayed, step);
        }

        (_replayed, _since) = (replayed, at);
    }

    /// <summary>Notes that no operation waits: how long the next step takes tells nothing then.</summary>
    public void Interrupt() => _since = null;

    /// <summary>The time until a position is replayed, as it seems; zero when that is not known, or it should have been by now.</summary>
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
