namespace ReplicaRouter.Attempts;

/// <summary>How an operation has waited for a host: how long, and what was asked for it.</summary>
internal sealed class HostWait
{
    private long? _since;
    private TimeSpan _waited;
    private int _pauses;

    /// <summary>How often hosts were asked for positions.</summary>
    public int Asks { get; set; }

    /// <summary>The replica that was last asked or waited for, as a bit. The operation prefers it.</summary>
    public ulong Awaited { get; set; }

    /// <summary>Replicas that were lost or did not answer during a wait, one bit each. They are not waited for again.</summary>
    public ulong Lost { get; set; }

    /// <summary>Commits that the primary may have hidden when it was asked.</summary>
    public PrimaryDoubt? Doubt { get; set; }

    /// <summary>Whether all hosts were probed for it. Once is enough: changes wake all waiters.</summary>
    public bool HasWoken { get; set; }

    /// <summary>Returns the time left of a limit for all waits together. Counts from the first call until <see cref="End"/>.</summary>
    public TimeSpan Left(TimeSpan limit, TimeProvider time)
    {
        _since ??= time.GetTimestamp();
        return TimeSpan.Max(limit - _waited - time.GetElapsedTime(_since.Value), TimeSpan.Zero);
    }

    /// <summary>Ends the wait: the operation has a connection, and its work does not count.</summary>
    public void End(TimeProvider time)
    {
        if (_since is not { } since) return;
        _waited += time.GetElapsedTime(since);
        _since = null;
    }

    /// <summary>Excludes a wait that took much longer than its limit, because the process was paused, and the caller with it.</summary>
    /// <returns>Whether the wait was excluded.</returns>
    public bool ForgivesPause(long since, TimeSpan limit, TimeProvider time)
    {
        if (limit <= TimeSpan.Zero || !HealthSettings.WasPaused(since, limit, time) || _pauses++ >= HealthSettings.MaxDiscarded) return false;
        _since += time.GetTimestamp() - since;
        return true;
    }
}
