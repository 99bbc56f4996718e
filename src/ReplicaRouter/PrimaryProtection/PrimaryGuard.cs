namespace ReplicaRouter.PrimaryProtection;

/// <summary>Protects the primary when replicas can't serve: limits how many reads fall back to it at once and per second.</summary>
/// <remarks>
/// Reads beyond the limit are queued: reads before background work before analytics, first come first served within each. The lower priorities can use only part of the slots, so
/// they never block reads. <see cref="ConcurrencyLimit"/> finds the number of slots from the latency of the primary's commands.
/// </remarks>
internal sealed class PrimaryGuard(ConcurrencyLimit limit, int? perSecond, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly List<PrimaryTicket> _queue = [];
    private readonly StandingQueue _line = new(time);
    private volatile HostConfiguration? _primary;
    private long _readAt = long.MinValue / 2;
    private int _taken;
    private double _tokens = perSecond ?? double.PositiveInfinity;
    private long _filledAt = time.GetTimestamp();

    /// <summary>Number of slots: how many reads may be in flight at once.</summary>
    public int Places
    {
        get
        {
            lock (_lock) return limit.Current;
        }
    }

    /// <summary>Whether a read would be admitted at once.</summary>
    public bool HasPlace(ReadPriority priority)
    {
        lock (_lock) return _taken < PlacesOf(priority) && TokensAt(time.GetTimestamp()) >= 1 && !_queue.Exists(other => other.Priority >= priority);
    }

    /// <summary>Admits a read to the primary, or queues it. <paramref name="underWay"/>: this process's commands in flight on the primary.</summary>
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

    /// <summary>Whether more reads are ahead of a read than can be served within its <paramref name="wait"/>, or than may be queued at <paramref name="most"/>.</summary>
    public bool IsTooLate(PrimaryTicket ticket, TimeSpan wait, int most)
    {
        lock (_lock)
        {
            var ahead = _queue.IndexOf(ticket);
            // At first the limit doubles, so the recent rate says little.
            return ahead >= most || (!limit.IsStarting && ahead >= 0 && _line.IsTooLong(ahead, wait, most));
        }
    }

    /// <summary>Records how long a command took on the host with an index.</summary>
    public void Record(int host, int route, double milliseconds)
    {
        if (_primary?.Index != host) return;
        lock (_lock)
        {
            var isHeld = _queue.Count > 0 && _taken >= PlacesOf(_queue[0].Priority);
            if (limit.Record(route, milliseconds, _taken, isHeld)) Admit();
        }
    }

    /// <summary>Resets the limit for a new primary: what was learned about the former one does not apply.</summary>
    public void OnChanged(TopologySnapshot before, TopologySnapshot after)
    {
        if (after.Primary is not { Configuration: var primary } || primary.IsSameMember(_primary)) return;
        lock (_lock)
        {
            _primary = primary;
            limit.Forget();
        }
    }

    /// <summary>Admits the reads that the rate limit allows by now.</summary>
    /// <returns>Time until the rate limit can allow more; null if it is not what holds reads back.</returns>
    public TimeSpan? Refill()
    {
        lock (_lock)
        {
            Admit();
            return perSecond is { } rate && _tokens < 1 ? TimeSpan.FromSeconds(Math.Max(0.005, (1 - _tokens) / rate)) : null;
        }
    }

    /// <summary>Adds to the slots in use for a read that can't be held back, because it was admitted long before it began.</summary>
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
        var now = time.GetTimestamp();
        (_tokens, _filledAt) = (TokensAt(now), now);
        var served = 0;
        while (_queue.Count > 0 && _tokens >= 1)
        {
            var ticket = _queue[0];
            // The reads behind it have no more slots: none has a higher priority.
            if (_taken >= PlacesOf(ticket.Priority)) break;
            _queue.RemoveAt(0);
            _taken++;
            _tokens--;
            served++;
            ticket.Admit();
        }

        _line.Note(_queue.Count, served, limit.Current);
    }

    private double TokensAt(long now) =>
        perSecond is { } rate ? Math.Min(rate, _tokens + (time.GetElapsedTime(_filledAt, now).TotalSeconds * rate)) : double.PositiveInfinity;

    private int PlacesOf(ReadPriority priority) => priority switch
    {
        ReadPriority.Analytics => Math.Max(1, limit.Current / 4),
        ReadPriority.Background => Math.Max(1, limit.Current / 2),
        _ => limit.Current,
    };
}

/// <summary>A read's slot on the primary, or its place in the queue, until disposed.</summary>
internal sealed class PrimaryTicket(PrimaryGuard guard, ReadPriority priority) : IDisposable
{
    private readonly TaskCompletionSource _admitted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _isDisposed;

    public ReadPriority Priority => priority;

    /// <summary>Completes when the read is admitted.</summary>
    public Task Admitted => _admitted.Task;

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0) guard.Leave(this);
    }

    internal void Admit() => _admitted.TrySetResult();
}
