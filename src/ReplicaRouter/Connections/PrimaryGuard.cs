namespace ReplicaRouter;

/// <summary>Keeps the primary alive when replicas can't serve: of the reads that fall back to it, it gets only so many at once and a second.</summary>
/// <remarks>
/// What is beyond that waits, reads before background work before analytics, whoever came first among equals. The lesser ones may use only a
/// part of the places, so that they never keep reads out. The places follow the primary's own speed: the slower it gets, the fewer reads a second.
/// </remarks>
internal sealed class PrimaryGuard(int places, int? perSecond, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly List<PrimaryTicket> _queue = [];
    private int _taken;
    private double _tokens = perSecond ?? double.PositiveInfinity;
    private long _filledAt = time.GetTimestamp();

    /// <summary>Most reads at once.</summary>
    public int Places => places;

    /// <summary>Whether a read would be let in at once.</summary>
    public bool HasPlace(ReadPriority priority)
    {
        lock (_lock) return _taken < PlacesOf(priority) && _tokens >= 1 && !_queue.Exists(other => other.Priority >= priority);
    }

    /// <summary>A place in the queue, or at once on the primary.</summary>
    public PrimaryTicket Enter(ReadPriority priority)
    {
        var ticket = new PrimaryTicket(this, priority);
        lock (_lock)
        {
            var behind = _queue.FindLastIndex(other => other.Priority >= priority);
            _queue.Insert(behind + 1, ticket);
            Admit();
        }

        return ticket;
    }

    /// <summary>Lets in those for whom the rate has made room since.</summary>
    /// <returns>Time until it may make room again; null when it is not the rate that holds them up.</returns>
    public TimeSpan? Refill()
    {
        lock (_lock)
        {
            Admit();
            return perSecond is { } rate && _tokens < 1 ? TimeSpan.FromSeconds(Math.Max(0.005, (1 - _tokens) / rate)) : null;
        }
    }

    /// <summary>Counts a read that can't be held back any more, as it was let in long before it began.</summary>
    public void AddUnasked(int change)
    {
        lock (_lock)
        {
            _taken += change;
            Admit();
        }
    }

    internal void Leave(PrimaryTicket ticket)
    {
        lock (_lock)
        {
            if (!_queue.Remove(ticket)) _taken--;
            Admit();
        }
    }

    private void Admit()
    {
        if (perSecond is { } rate)
        {
            var now = time.GetTimestamp();
            _tokens = Math.Min(rate, _tokens + (time.GetElapsedTime(_filledAt, now).TotalSeconds * rate));
            _filledAt = now;
        }

        for (var i = 0; i < _queue.Count && _tokens >= 1;)
        {
            var ticket = _queue[i];
            if (_taken >= PlacesOf(ticket.Priority))
            {
                i++;
                continue;
            }

            _queue.RemoveAt(i);
            _taken++;
            _tokens--;
            ticket.Admit();
        }
    }

    private int PlacesOf(ReadPriority priority) => priority switch
    {
        ReadPriority.Analytics => Math.Max(1, places / 4),
        ReadPriority.Background => Math.Max(1, places / 2),
        _ => places,
    };
}

/// <summary>One read's place on the primary, or in the queue for it, until it is disposed of.</summary>
internal sealed class PrimaryTicket(PrimaryGuard guard, ReadPriority priority) : IDisposable
{
    private readonly TaskCompletionSource _admitted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _isDisposed;

    public ReadPriority Priority => priority;

    /// <summary>Completes when the read may go.</summary>
    public Task Admitted => _admitted.Task;

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0) guard.Leave(this);
    }

    internal void Admit() => _admitted.TrySetResult();
}
