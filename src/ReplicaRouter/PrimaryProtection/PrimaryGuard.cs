namespace ReplicaRouter.PrimaryProtection;

/// <summary>Keeps the primary alive when replicas can't serve: of the reads that fall back to it, it gets only so many at once and a second.</summary>
/// <remarks>
/// What is beyond that waits, reads before background work before analytics, whoever came first among equals. The lesser ones may use only a
/// part of the places, so that they never keep reads out. How many places there are is found by <see cref="ConcurrencyLimit"/>, from how long the primary's commands take.
/// </remarks>
internal sealed class PrimaryGuard(ConcurrencyLimit limit, int? perSecond, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly List<PrimaryTicket> _queue = [];
    private readonly StandingLine _line = new(time);
    private volatile HostConfiguration? _primary;
    private long _readAt = long.MinValue / 2;
    private int _taken;
    private double _tokens = perSecond ?? double.PositiveInfinity;
    private long _filledAt = time.GetTimestamp();

    /// <summary>Most reads at once.</summary>
    public int Places
    {
        get
        {
            lock (_lock) return limit.Current;
        }
    }

    /// <summary>Whether a read would be let in at once.</summary>
    public bool HasPlace(ReadPriority priority)
    {
        lock (_lock) return _taken < PlacesOf(priority) && _tokens >= 1 && !_queue.Exists(other => other.Priority >= priority);
    }

    /// <summary>A place in the queue, or at once on the primary.</summary>
    /// <param name="priority">The read's priority.</param>
    /// <param name="underWay">Commands of this process under way on the primary.</param>
    public PrimaryTicket Enter(ReadPriority priority, int underWay = 0)
    {
        var ticket = new PrimaryTicket(this, priority);
        lock (_lock)
        {
            var now = time.GetTimestamp();
            if (_taken == 0 && _queue.Count == 0 && time.GetElapsedTime(_readAt, now) > ConcurrencyLimit.Memory) limit.Restart(underWay);
            _readAt = now;
            var behind = _queue.FindLastIndex(other => other.Priority >= priority);
            _queue.Insert(behind + 1, ticket);
            Admit();
        }

        return ticket;
    }

    /// <summary>Whether a read has more others ahead of it than are served within its wait, or than may wait.</summary>
    /// <param name="ticket">Its place.</param>
    /// <param name="wait">Time that it may wait.</param>
    /// <param name="most">Most that may wait.</param>
    public bool IsTooLate(PrimaryTicket ticket, TimeSpan wait, int most)
    {
        lock (_lock)
        {
            var ahead = _queue.IndexOf(ticket);
            // At the start, the rate of a moment ago says little: the limit doubles.
            return ahead >= most || (!limit.IsStarting && ahead >= 0 && _line.IsTooLong(ahead, wait, most));
        }
    }

    /// <summary>Notes how long a command took on the host of an index.</summary>
    public void Record(int host, int route, double milliseconds)
    {
        if (_primary?.Index != host) return;
        lock (_lock)
        {
            var isHeld = _queue.Count > 0 && _taken >= PlacesOf(_queue[0].Priority);
            if (limit.Record(route, milliseconds, _taken, isHeld)) Admit();
        }
    }

    /// <summary>What was learnt of one primary says nothing of another.</summary>
    public void OnChanged(TopologySnapshot before, TopologySnapshot after)
    {
        if (after.Primary is not { Configuration: var primary } || primary.IsSameMember(_primary)) return;
        lock (_lock)
        {
            _primary = primary;
            limit.Forget();
        }
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
            _readAt = time.GetTimestamp();
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

        var served = 0;
        while (_queue.Count > 0 && _tokens >= 1)
        {
            var ticket = _queue[0];
            // Those behind it have no more places: none of them is of a higher priority.
            if (_taken >= PlacesOf(ticket.Priority)) break;
            _queue.RemoveAt(0);
            _taken++;
            _tokens--;
            served++;
            ticket.Admit();
        }

        _line.Note(_queue.Count, served, limit.Current);
    }

    private int PlacesOf(ReadPriority priority) => priority switch
    {
        ReadPriority.Analytics => Math.Max(1, limit.Current / 4),
        ReadPriority.Background => Math.Max(1, limit.Current / 2),
        _ => limit.Current,
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
