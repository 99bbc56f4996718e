namespace ReplicaRouter.Attempts;

/// <summary>What an operation has done to get a host: how long it has waited, and what was asked on its behalf.</summary>
internal sealed class HostWait
{
    private long? _since;
    private TimeSpan _waited;
    private int _pauses;

    /// <summary>How often hosts were asked for positions.</summary>
    public int Asks { get; set; }

    /// <summary>The replica that was asked or waited for last, as a bit: the operation reads there if it may.</summary>
    public ulong Awaited { get; set; }

    /// <summary>Replicas that were lost, or did not answer, while they were waited for, one bit each. They are waited for no more.</summary>
    public ulong Lost { get; set; }

    /// <summary>What the primary may have hidden when it was asked.</summary>
    public PrimaryDoubt? Doubt { get; set; }

    /// <summary>Whether probes were hurried. Once is enough: what they find wakes all who wait.</summary>
    public bool HasWoken { get; set; }

    /// <summary>Time left of a limit for all waits together. It counts from here until <see cref="End"/>.</summary>
    public TimeSpan Left(TimeSpan limit, TimeProvider time)
    {
        _since ??= time.GetTimestamp();
        return TimeSpan.Max(limit - _waited - time.GetElapsedTime(_since.Value), TimeSpan.Zero);
    }

    /// <summary>Notes that the operation has a connection: what its work takes is no waiting.</summary>
    public void End(TimeProvider time)
    {
        if (_since is not { } since) return;
        _waited += time.GetElapsedTime(since);
        _since = null;
    }

    /// <summary>Has a wait not count that took much longer than its limit, and says whether it does not: the process was stopped meanwhile, and its caller with it.</summary>
    public bool ForgivesPause(long since, TimeSpan limit, TimeProvider time)
    {
        if (limit <= TimeSpan.Zero || !HealthSettings.WasPaused(since, limit, time) || _pauses++ >= HealthSettings.MostVoid) return false;
        _since += time.GetTimestamp() - since;
        return true;
    }
}
