namespace ReplicaRouter.Pools;

/// <summary>
/// Limits the logins of one pool. A caller that finds no idle connection is queued: it gets a connection that is returned, or logs in when its turn comes.
/// Takes no lock while a connection is idle.
/// </summary>
/// <remarks>
/// A login costs client and server a few ms of CPU time, and a connection in use is usually returned sooner. If each caller logged in at once, a moment in which callers pile up
/// would make all of them log in, which prolongs it. PgBouncer and HikariCP log in one at a time.
/// Npgsql does not show which connections are idle, so they are counted here. The count is off if callers use the pool directly, and if Npgsql closes idle
/// connections. The next opening corrects it.
/// </remarks>
internal sealed class LoginThrottle(int limit, TimeProvider time)
{
    /// <summary>Maximum number of concurrent logins while other callers wait for a connection to be returned.</summary>
    public const int MostLogins = 2;

    /// <summary>A login that takes longer, for example because it asks an identity service, makes room for another one: its time is not CPU time.</summary>
    public static readonly TimeSpan LongLogin = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// Cost of a login to both sides. The queued callers wait this long in total before one of them logs in. This is the "ski rental" rule: it costs at most twice as much as the
    /// best decision in hindsight.
    /// </summary>
    public static readonly TimeSpan LoginCost = TimeSpan.FromMilliseconds(5);

    /// <summary>Share of the time that one caller may spend queued before one more connection is worthwhile: each costs the server memory while it exists.</summary>
    private const double TolerableWaiting = 0.05;

    private readonly Lock _lock = new();
    private readonly Queue<TaskCompletionSource<Admission>> _line = new();
    private readonly StandingQueue _standing = new(time);
    private int _waiting;

    // Connections that callers hold, including logins in progress.
    private int _inUse;
    private int _loggingIn;
    private int _longLogins;

    // Connections that are open, in use or idle, as far as known.
    private int _connected;

    // Total waiting time of the queued callers since it last justified a login.
    private double _waitedTicks;
    private long _waitedUntil;
    private bool _isWatched;

    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>Whether all connections are in use, so that a caller must wait for one to be returned.</summary>
    public bool IsFull => Volatile.Read(ref _inUse) >= limit;

    /// <summary>Admits a caller if it does not have to wait.</summary>
    public Admission TryEnter() => Waiting > 0 ? Admission.Wait : TryAdmit(mayLogIn: HasNoneToWaitFor);

    /// <summary>Admits a caller to a connection that Npgsql has counted as idle.</summary>
    public bool TryEnterIdle()
    {
        while (Waiting == 0 && Volatile.Read(ref _inUse) is var inUse && inUse < limit)
        {
            if (Interlocked.CompareExchange(ref _inUse, inUse + 1, inUse) == inUse) return true;
        }

        return false;
    }

    /// <summary>Admits a caller when its turn comes.</summary>
    /// <exception cref="TimeoutException">It took too long; a <see cref="QueueFullException"/> if it would have.</exception>
    public async Task<Admission> EnterAsync(TimeSpan timeout, bool async, CancellationToken cancellationToken)
    {
        var turn = LineUp(timeout);
        try
        {
            // A synchronous caller blocks its own thread without needing a pool thread to continue: all of those can be blocked here.
            var admission = async ? await turn.Task.WaitAsync(timeout, time, cancellationToken).ConfigureAwait(false)
                : turn.Task.Wait(timeout, cancellationToken) ? turn.Task.Result
                : throw new TimeoutException();
            return admission == Admission.Refused ? throw new QueueFullException() : admission;
        }
        catch
        {
            // Its turn can have come at the same moment.
            if (!turn.TrySetCanceled(CancellationToken.None)) TakeBack(turn.Task.Result);
            ServeIfAnyWaits();
            throw;
        }
    }

    /// <summary>Records that a connection was closed or could not be opened. Its login must have ended.</summary>
    public void Leave()
    {
        Interlocked.Decrement(ref _inUse);
        ServeIfAnyWaits();
    }

    /// <summary>Records a connection that a caller opened directly.</summary>
    public void OnOpenedOutsideRouter()
    {
        var open = Interlocked.Increment(ref _inUse) - Volatile.Read(ref _loggingIn);
        if (open > Volatile.Read(ref _connected)) Volatile.Write(ref _connected, open);
    }

    /// <summary>Records that a caller must log in, although a connection seemed idle.</summary>
    public void OnLoginStarted()
    {
        var open = Math.Max(0, Volatile.Read(ref _inUse) - Interlocked.Increment(ref _loggingIn));
        if (open < Volatile.Read(ref _connected)) Volatile.Write(ref _connected, open);
    }

    /// <summary>Records that a login has taken longer than <see cref="LongLogin"/>.</summary>
    public void OnSlowLogin()
    {
        Interlocked.Increment(ref _longLogins);
        ServeIfAnyWaits();
    }

    public void OnLoginEnded(bool isConnected, bool wasLong = false)
    {
        if (isConnected) Interlocked.Increment(ref _connected);
        if (wasLong) Interlocked.Decrement(ref _longLogins);
        Interlocked.Decrement(ref _loggingIn);
        ServeIfAnyWaits();
    }

    /// <summary>Records that a connection is gone.</summary>
    public void OnBroken() => Interlocked.Decrement(ref _connected);

    /// <summary>Records that all idle connections are gone, and that those in use will be closed when they are returned.</summary>
    public void OnCleared() => Volatile.Write(ref _connected, 0);

    private bool HasNoneToWaitFor => Volatile.Read(ref _connected) <= 0;

    private double LoginCostTicks => time.Ticks(LoginCost);

    private Admission TryAdmit(bool mayLogIn)
    {
        while (true)
        {
            var (inUse, loggingIn) = (Volatile.Read(ref _inUse), Volatile.Read(ref _loggingIn));
            if (inUse >= limit) return Admission.Wait;
            var isLogin = inUse - loggingIn >= Volatile.Read(ref _connected);
            if (isLogin && (!mayLogIn || loggingIn - Volatile.Read(ref _longLogins) >= MostLogins)) return Admission.Wait;
            if (Interlocked.CompareExchange(ref _inUse, inUse + 1, inUse) != inUse) continue;
            if (isLogin) Interlocked.Increment(ref _loggingIn);
            return isLogin ? Admission.Login : Admission.Idle;
        }
    }

    private TaskCompletionSource<Admission> LineUp(TimeSpan timeout)
    {
        var turn = new TaskCompletionSource<Admission>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            // Behind as many callers as there are connections, a caller waits about as long as its own work takes. A longer standing queue helps no caller.
            if (IsFull && _standing.IsTooLong(_line.Count, timeout, limit)) throw new QueueFullException();
            CountWaiting();
            _line.Enqueue(turn);
            // Before looking for a connection: a caller that returns one from now on looks for waiters.
            Interlocked.Increment(ref _waiting);
            Serve();
            if (_line.Count > 0 && !_isWatched) _ = WatchAsync();
        }

        return turn;
    }

    private void TakeBack(Admission unused)
    {
        if (unused == Admission.Refused) return;
        Interlocked.Decrement(ref _inUse);
        if (unused == Admission.Login) Interlocked.Decrement(ref _loggingIn);
    }

    private void ServeIfAnyWaits()
    {
        if (Waiting == 0) return;
        lock (_lock) Serve();
    }

    /// <summary>Admits the waiters whose turn has come, and removes those that have given up.</summary>
    private void Serve()
    {
        var (served, stood) = (0, _standing.IsStanding);
        CountWaiting();
        while (_line.TryPeek(out var turn))
        {
            if (!turn.Task.IsCompleted)
            {
                var admission = TryAdmit(mayLogIn: HasNoneToWaitFor || _waitedTicks >= LoginCostTicks);
                if (admission == Admission.Wait) break;
                if (!turn.TrySetResult(admission)) TakeBack(admission);
                else
                {
                    served++;
                    if (admission == Admission.Login) _waitedTicks = Math.Max(0, _waitedTicks - LoginCostTicks);
                }
            }

            _line.Dequeue();
            Interlocked.Decrement(ref _waiting);
        }

        // While the pool is not full, logins still shorten the queue.
        _standing.Note(IsFull ? _line.Count : 0, served, limit);
        if (_standing.IsStanding && !stood) Shorten();
    }

    /// <summary>Refuses the newest waiters of a standing queue.</summary>
    private void Shorten()
    {
        CountWaiting();
        TaskCompletionSource<Admission>[] all = [.. _line];
        _line.Clear();
        foreach (var turn in all.Take(limit)) _line.Enqueue(turn);
        foreach (var turn in all.Skip(limit))
        {
            turn.TrySetResult(Admission.Refused);
            Interlocked.Decrement(ref _waiting);
        }
    }

    /// <summary>Adds the time that the queued callers have waited since the last call. Must be called before each change of the queue.</summary>
    private void CountWaiting()
    {
        var now = time.GetTimestamp();
        var waited = _waitedTicks + ((_line.Count > 0 ? _line.Count : -TolerableWaiting) * (now - _waitedUntil));
        (_waitedTicks, _waitedUntil) = (Math.Clamp(waited, 0, MostLogins * LoginCostTicks), now);
    }

    /// <summary>Lets a queued caller log in when it is due, even if no connection is returned meanwhile.</summary>
    private async Task WatchAsync()
    {
        _isWatched = true;
        while (true)
        {
            await Task.Delay(LoginCost, time).ConfigureAwait(false);
            lock (_lock)
            {
                Serve();
                _isWatched = _line.Count > 0;
                if (!_isWatched) return;
            }
        }
    }
}
