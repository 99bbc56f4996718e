namespace ReplicaRouter.Testing.Faults;

/// <summary>The faults in effect at one time. Swapped as a whole; each connection reads the current settings for each piece of data.</summary>
internal sealed record FaultSettings
{
    internal static FaultSettings None { get; } = new();

    internal TimeSpan Latency { get; init; }
    internal TimeSpan Jitter { get; init; }
    internal int? BytesPerSecond { get; init; }
    internal FaultDirection Dropped { get; init; }
    internal ByteCut? Cut { get; init; }
}

/// <summary>Ends a connection after a number of further bytes. A class, because each order is distinct and starts its own count.</summary>
internal sealed class ByteCut(long bytes, FaultDirection direction)
{
    internal long Bytes { get; } = bytes;
    internal FaultDirection Direction { get; } = direction;
}

/// <summary>A snapshot that signals its replacement, so that connections do not wait out a delay that no longer applies.</summary>
internal sealed class FaultSnapshot(FaultSettings settings)
{
    private readonly TaskCompletionSource _superseded = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal FaultSettings Settings { get; } = settings;
    internal Task Superseded => _superseded.Task;

    internal void MarkSuperseded() => _superseded.TrySetResult();
}

/// <summary>The current faults, shared by a proxy and its connections.</summary>
internal sealed class FaultState
{
    private FaultSnapshot _current = new(FaultSettings.None);

    internal FaultSnapshot Current => Volatile.Read(ref _current);

    internal void Change(Func<FaultSettings, FaultSettings> change)
    {
        FaultSnapshot before;
        do before = Current;
        while (Interlocked.CompareExchange(ref _current, new(change(before.Settings)), before) != before);
        before.MarkSuperseded();
    }
}
