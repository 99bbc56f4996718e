namespace ReplicaRouter;

/// <summary>The places of a pool, in several tiers: the first tier that has a free one gives it, to whoever comes first. Takes no lock as long as there is a free one.</summary>
/// <remarks>
/// A place that nobody has had yet takes a login, which costs both sides some ms of CPU time, and a connection that is in use is back sooner, mostly. So only
/// few log in at once, and take what comes back meanwhile: else a moment in which callers pile up has them all log in, which makes for a longer one.
/// PgBouncer and HikariCP log in one at a time.
/// </remarks>
/// <param name="sizes">Places of each tier.</param>
/// <param name="time">The clock.</param>
internal sealed class Places(int[] sizes, TimeProvider time)
{
    public const int MostTiers = 6;
    private const int FirstSize = 2;

    /// <summary>Logins at once, while others wait for a connection to come back.</summary>
    public const int MostLogins = 2;

    /// <summary>A login that takes longer, as where an identity service is asked, holds up nobody else: what it takes is not CPU time.</summary>
    public static readonly TimeSpan LongLogin = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// What a login costs both sides. Callers wait for a connection that is in use until they have waited for so long together: each time that it takes less, the
    /// login would have cost more. Whoever goes by this pays at most twice what one would who knew beforehand.
    /// </summary>
    public static readonly TimeSpan LoginCost = TimeSpan.FromMilliseconds(5);

    /// <summary>Waiting that is not worth a connection, which costs the server more than its login: so much of the time, by one caller.</summary>
    private const double TolerableWaiting = 0.05;

    // All counts are one number, so that taking a place is one exchange: here each tier's begins, and that of all. Two bits for a count up to 2, and so on.
    private static ReadOnlySpan<byte> Shifts => [0, 2, 4, 7, 11, 16, TotalShift];
    private const int TotalShift = 39;

    private readonly int _count = sizes.Sum();
    private readonly Lock _lock = new();
    private readonly Queue<TaskCompletionSource<Place>> _queue = new();

    // Those who log in meanwhile: they came before the others, who came when as many did as may.
    private readonly Queue<TaskCompletionSource<Place>> _loggingInQueue = new();
    private long _taken;

    /// <summary>Those in line.</summary>
    public int Waiting => Volatile.Read(ref _waiting);
    private int _waiting;
    private bool _isAbolished;
    private int _loggingIn;
    private int _shortLogins;

    // As far as we know: Npgsql closes some in its own time.
    private int _connected;

    // What those in line have waited together, as far as no login was begun for it.
    private double _waitedTicks;
    private long _waitedUntil;
    private bool _isWatched;

    /// <summary>So many places in all, by tiers: each has as many as all before it, and the last one the rest. So about half of what is taken is in full ones.</summary>
    public static int[] Sizes(int count)
    {
        List<int> sizes = [];
        for (var left = count; left > 0; left -= sizes[^1]) sizes.Add(sizes.Count == MostTiers - 1 ? left : Math.Min(left, Math.Max(FirstSize, sizes.Sum())));
        return [.. sizes];
    }

    /// <summary>Whether all are taken, so that only one that comes back can be had.</summary>
    public bool IsFull => Volatile.Read(ref _taken) >> TotalShift >= _count;

    /// <summary>Takes a place if there is a free one, and nobody waits for one.</summary>
    public Place? TryTake() => Volatile.Read(ref _waiting) > 0 ? null : TryTakeFirst(mayLogIn: HasNoneToWaitFor);

    /// <summary>Takes a place of one tier, likewise, for a connection that is idle there.</summary>
    public Place? TryTakeIdle(int tier)
    {
        while (Volatile.Read(ref _waiting) == 0)
        {
            var taken = Volatile.Read(ref _taken);
            if (tier >= sizes.Length || CountOf(tier, taken) >= sizes[tier]) break;
            if (Interlocked.CompareExchange(ref _taken, taken + One(tier), taken) == taken) return new Place(tier, IsLogin: false);
        }

        return null;
    }

    /// <summary>Takes a place once it is the caller's turn.</summary>
    /// <returns>The place. When there are none any more, it says nothing.</returns>
    /// <exception cref="TimeoutException">It took too long.</exception>
    public async Task<Place> TakeAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        var turn = LineUp(_queue);
        try
        {
            return await turn.Task.WaitAsync(timeout, time, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            GiveUp(turn);
            throw;
        }
    }

    /// <inheritdoc cref="TakeAsync"/>
    public Place Take(TimeSpan timeout)
    {
        var turn = LineUp(_queue);
        // Not by way of a thread of the pool: all of them may be waiting here.
        if (turn.Task.Wait(timeout)) return turn.Task.Result;
        GiveUp(turn);
        throw new TimeoutException();
    }

    /// <summary>Lets somebody who logs in have a connection that comes back sooner.</summary>
    /// <returns>Ends with the place of one that has. The caller gives it up when it is not needed any more.</returns>
    public TaskCompletionSource<Place> LineUpForReturned() => LineUp(_loggingInQueue);

    public void GiveUp(TaskCompletionSource<Place> turn)
    {
        // Its turn may have come in the same moment.
        if (turn.TrySetCanceled(CancellationToken.None)) ServeIfAnyWaits();
        else GiveBack(turn.Task.Result);
    }

    private TaskCompletionSource<Place> LineUp(Queue<TaskCompletionSource<Place>> queue)
    {
        var turn = new TaskCompletionSource<Place>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            CountWaiting();
            queue.Enqueue(turn);
            // Before it looks for a free place: whoever returns one from here on looks for those who wait.
            Interlocked.Increment(ref _waiting);
            Serve();
            if (_queue.Count > 0 && !_isWatched) _ = WatchAsync();
        }

        return turn;
    }

    /// <summary>Has nobody wait any more: others count from now on.</summary>
    public void Abolish()
    {
        lock (_lock)
        {
            _isAbolished = true;
            Serve();
        }
    }

    /// <summary>Notes that whoever has taken a place has to log in, though a connection seemed to be idle.</summary>
    public void LoginBegan()
    {
        Interlocked.Increment(ref _shortLogins);
        var inUse = Math.Max(0, (int)(Volatile.Read(ref _taken) >> TotalShift) - Interlocked.Increment(ref _loggingIn));
        if (inUse < Volatile.Read(ref _connected)) Volatile.Write(ref _connected, inUse);
    }

    /// <summary>Notes that a login has taken longer than <see cref="LongLogin"/>.</summary>
    public void LoginIsLong()
    {
        Interlocked.Decrement(ref _shortLogins);
        ServeIfAnyWaits();
    }

    /// <summary>Notes the end of a login, that of a place or one that began unexpectedly.</summary>
    public void LoginEnded(bool isConnected, bool wasLong = false)
    {
        if (isConnected) Interlocked.Increment(ref _connected);
        if (!wasLong) Interlocked.Decrement(ref _shortLogins);
        Interlocked.Decrement(ref _loggingIn);
        ServeIfAnyWaits();
    }

    /// <summary>Notes that a connection is gone.</summary>
    public void Broke() => Interlocked.Decrement(ref _connected);

    /// <summary>Notes that all idle connections are gone, and all others will be.</summary>
    public void Forget() => Volatile.Write(ref _connected, 0);

    /// <summary>Gives back a place that was not used.</summary>
    public void GiveBack(Place place)
    {
        Undo(place);
        ServeIfAnyWaits();
    }

    /// <summary>Gives back a place whose login is over.</summary>
    public void Return(int tier)
    {
        Interlocked.Add(ref _taken, -One(tier));
        ServeIfAnyWaits();
    }

    private void ServeIfAnyWaits()
    {
        if (Volatile.Read(ref _waiting) > 0) ServeLine();
    }

    private void ServeLine()
    {
        lock (_lock) Serve();
    }

    /// <summary>Has somebody log in once those in line have waited for long enough, though nothing else happens meanwhile.</summary>
    private async Task WatchAsync()
    {
        _isWatched = true;
        while (true)
        {
            await Task.Delay(LoginCost, time).ConfigureAwait(false);
            lock (_lock)
            {
                Serve();
                _isWatched = _queue.Count > 0;
                if (!_isWatched) return;
            }
        }
    }

    private bool HasNoneToWaitFor => Volatile.Read(ref _connected) <= 0;

    /// <summary>Adds what those in line have waited since it was called last. For whoever changes the line.</summary>
    private void CountWaiting()
    {
        var now = time.GetTimestamp();
        var waited = _waitedTicks + ((_queue.Count > 0 ? _queue.Count : -TolerableWaiting) * (now - _waitedUntil));
        (_waitedTicks, _waitedUntil) = (Math.Clamp(waited, 0, MostLogins * LoginCostTicks), now);
    }

    private double LoginCostTicks => time.Ticks(LoginCost);

    private void Serve()
    {
        CountWaiting();
        Serve(_loggingInQueue, isLoggingIn: true);
        Serve(_queue, isLoggingIn: false);
    }

    /// <summary>Gives free places to those who wait, and forgets those who have gone.</summary>
    private void Serve(Queue<TaskCompletionSource<Place>> queue, bool isLoggingIn)
    {
        while (queue.TryPeek(out var turn))
        {
            if (!turn.Task.IsCompleted)
            {
                var mayLogIn = !isLoggingIn && (_waitedTicks >= LoginCostTicks || HasNoneToWaitFor);
                if ((_isAbolished ? default(Place) : TryTakeFirst(mayLogIn)) is not { } place) return;
                if (!turn.TrySetResult(place)) Undo(place);
                else if (place.IsLogin) _waitedTicks = Math.Max(0, _waitedTicks - LoginCostTicks);
            }

            queue.Dequeue();
            Interlocked.Decrement(ref _waiting);
        }
    }

    private Place? TryTakeFirst(bool mayLogIn)
    {
        while (true)
        {
            var (taken, loggingIn) = (Volatile.Read(ref _taken), Volatile.Read(ref _loggingIn));
            var isLogin = (taken >> TotalShift) - loggingIn >= Volatile.Read(ref _connected);
            if (isLogin && (!mayLogIn || Volatile.Read(ref _shortLogins) >= MostLogins)) return null;
            var tier = FirstFree(taken);
            if (tier < 0) return null;
            if (Interlocked.CompareExchange(ref _taken, taken + One(tier), taken) != taken) continue;
            if (isLogin) CountLogin(1);
            return new Place(tier, isLogin);
        }
    }

    private int FirstFree(long taken)
    {
        if (CountOf(0, taken) < sizes[0]) return 0;
        for (var tier = 1; tier < sizes.Length; tier++)
        {
            if (CountOf(tier, taken) < sizes[tier]) return tier;
        }

        return -1;
    }

    private void Undo(Place place)
    {
        Interlocked.Add(ref _taken, -One(place.Tier));
        if (place.IsLogin) CountLogin(-1);
    }

    private void CountLogin(int change)
    {
        Interlocked.Add(ref _loggingIn, change);
        Interlocked.Add(ref _shortLogins, change);
    }

    private static long CountOf(int tier, long taken) => (taken >> Shifts[tier]) & ((1L << (Shifts[tier + 1] - Shifts[tier])) - 1);

    private static long One(int tier) => (1L << Shifts[tier]) + (1L << TotalShift);
}

/// <summary>A place in a pool.</summary>
/// <param name="Tier">Its tier.</param>
/// <param name="IsLogin">Whether it takes a login, as no connection is idle, as far as we know.</param>
internal readonly record struct Place(int Tier, bool IsLogin);
