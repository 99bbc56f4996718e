namespace ReplicaRouter.Pools;

/// <summary>
/// Rations the logins of one pool. A caller that finds no idle connection waits in line: it is served by a connection that comes back, or logs in when its turn comes.
/// Takes no lock as long as a connection is idle.
/// </summary>
/// <remarks>
/// A login costs client and server some ms of CPU time, and a connection that is in use is usually back sooner. If each caller logged in at once, a moment in which
/// callers pile up would make all of them log in, which makes that moment longer. PgBouncer and HikariCP log in one at a time.
/// Npgsql does not show which connections are idle, so they are counted here. The count is off where callers use the pool by themselves, and where Npgsql closes idle
/// connections. The next opening corrects it.
/// </remarks>
internal sealed class LoginThrottle(int limit, TimeProvider time)
{
    /// <summary>Logins at once, while other callers wait for a connection to come back.</summary>
    public const int MostLogins = 2;

    /// <summary>A login that takes longer, for example because an identity service is asked, makes room for another one: what it takes is not CPU time.</summary>
    public static readonly TimeSpan LongLogin = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// What a login costs both sides. The callers in line wait for as long together before one of them logs in. This is the rule of the "ski rental" problem: it
    /// costs at most twice what the best decision in hindsight would have cost.
    /// </summary>
    public static readonly TimeSpan LoginCost = TimeSpan.FromMilliseconds(5);

    /// <summary>The part of the time that one caller may spend in line before it is worth one more connection, which costs the server memory for as long as it is there.</summary>
    private const double TolerableWaiting = 0.05;

    private readonly Lock _lock = new();
    private readonly Queue<TaskCompletionSource<Admission>> _line = new();
    private readonly StandingLine _standing = new(time);
    private int _waiting;

    // Connections that were given out, logins under way among them.
    private int _inUse;
    private int _loggingIn;
    private int _longLogins;

    // Connections that are open, in use or idle, as far as is known.
    private int _connected;

    // What those in line have waited together since the last login that was begun for it.
    private double _waitedTicks;
    private long _waitedUntil;
    private bool _isWatched;

    /// <summary>Callers in line.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>Whether all connections are in use, so that only one that comes back can be had.</summary>
    public bool IsFull => Volatile.Read(ref _inUse) >= limit;

    /// <summary>Admits a caller if it need not wait.</summary>
    public Admission TryEnter() => Waiting > 0 ? Admission.Wait : TryAdmit(mayLogIn: HasNoneToWaitFor);

    /// <summary>Admits a caller to a connection that is idle, as Npgsql has counted.</summary>
    public bool TryEnterIdle()
    {
        while (Waiting == 0 && Volatile.Read(ref _inUse) is var inUse && inUse < limit)
        {
            if (Interlocked.CompareExchange(ref _inUse, inUse + 1, inUse) == inUse) return true;
        }

        return false;
    }

    /// <summary>Admits a caller once it is its turn.</summary>
    /// <exception cref="TimeoutException">It took too long; a <see cref="LineTooLongException"/> where it would.</exception>
    public async Task<Admission> EnterAsync(TimeSpan timeout, bool async, CancellationToken cancellationToken)
    {
        var turn = LineUp(timeout);
        try
        {
            // A caller's own thread waits by itself, not by way of a thread of the pool: all of them may be waiting here.
            var admission = async ? await turn.Task.WaitAsync(timeout, time, cancellationToken).ConfigureAwait(false)
                : turn.Task.Wait(timeout, cancellationToken) ? turn.Task.Result
                : throw new TimeoutException();
            return admission == Admission.Refused ? throw new LineTooLongException() : admission;
        }
        catch
        {
            GiveUp(turn);
            throw;
        }
    }

    /// <summary>Notes that a connection was closed, or that it could not be opened. Its login is over by now.</summary>
    public void Leave()
    {
        Interlocked.Decrement(ref _inUse);
        ServeIfAnyWaits();
    }

    /// <summary>Notes a connection that a caller has opened by itself.</summary>
    public void OnOpenedElsewhere()
    {
        var open = Interlocked.Increment(ref _inUse) - Volatile.Read(ref _loggingIn);
        if (open > Volatile.Read(ref _connected)) Volatile.Write(ref _connected, open);
    }

    /// <summary>Notes that a caller has to log in, though a connection seemed to be idle.</summary>
    public void OnLoginStarted()
    {
        var open = Math.Max(0, Volatile.Read(ref _inUse) - Interlocked.Increment(ref _loggingIn));
        if (open < Volatile.Read(ref _connected)) Volatile.Write(ref _connected, open);
    }

    /// <summary>Notes that a login has taken longer than <see cref="LongLogin"/>.</summary>
    public void OnLoginIsLong()
    {
        Interlocked.Increment(ref _longLogins);
        ServeIfAnyWaits();
    }

    /// <summary>Notes the end of a login.</summary>
    public void OnLoginEnded(bool isConnected, bool wasLong = false)
    {
        if (isConnected) Interlocked.Increment(ref _connected);
        if (wasLong) Interlocked.Decrement(ref _longLogins);
        Interlocked.Decrement(ref _loggingIn);
        ServeIfAnyWaits();
    }

    /// <summary>Notes that a connection is gone.</summary>
    public void OnBroken() => Interlocked.Decrement(ref _connected);

    /// <summary>Notes that all idle connections are gone, and that those in use will be when they are returned.</summary>
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
            // Behind as many as there are connections, a caller waits for about as long as its own work will then take: in a line that stands, longer helps no caller.
            if (IsFull && _standing.IsTooLong(_line.Count, timeout, limit))
            {
                turn.SetResult(Admission.Refused);
                return turn;
            }

            CountWaiting();
            _line.Enqueue(turn);
            // Before it looks for a connection: a caller that returns one from here on looks for those who wait.
            Interlocked.Increment(ref _waiting);
            Serve();
            if (_line.Count > 0 && !_isWatched) _ = WatchAsync();
        }

        return turn;
    }

    private void GiveUp(TaskCompletionSource<Admission> turn)
    {
        // Its turn may have come in the same moment.
        if (!turn.TrySetCanceled(CancellationToken.None)) TakeBack(turn.Task.Result);
        ServeIfAnyWaits();
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

    /// <summary>Admits those in line whose turn it is, and forgets those who have gone.</summary>
    private void Serve()
    {
        var served = ServeTurns();
        var stood = _standing.IsStanding;
        // While the pool is not full, logins still make the line shorter.
        _standing.Note(IsFull ? _line.Count : 0, served, limit);
        if (_standing.IsStanding && !stood) Shorten();
    }

    /// <summary>Refuses those who came last to a line that stands.</summary>
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

    /// <returns>Callers that were admitted.</returns>
    private int ServeTurns()
    {
        var served = 0;
        CountWaiting();
        while (_line.TryPeek(out var turn))
        {
            if (!turn.Task.IsCompleted)
            {
                var admission = TryAdmit(mayLogIn: HasNoneToWaitFor || _waitedTicks >= LoginCostTicks);
                if (admission == Admission.Wait) return served;
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

        return served;
    }

    /// <summary>Adds what those in line have waited since this was called last. Every change of the line calls it first.</summary>
    private void CountWaiting()
    {
        var now = time.GetTimestamp();
        var waited = _waitedTicks + ((_line.Count > 0 ? _line.Count : -TolerableWaiting) * (now - _waitedUntil));
        (_waitedTicks, _waitedUntil) = (Math.Clamp(waited, 0, MostLogins * LoginCostTicks), now);
    }

    /// <summary>Lets a caller in line log in when the time has come, though no connection comes back meanwhile.</summary>
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
