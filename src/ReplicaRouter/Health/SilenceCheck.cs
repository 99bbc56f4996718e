namespace ReplicaRouter;

/// <summary>Finds out whether a host that is silent hangs, or only has long work to do.</summary>
/// <remarks>
/// It is asked over the connection that is kept for probes, then over a new login as well, each with a deadline of a few usual round trips.
/// When neither is answered the host hangs. When only a login is not, it serves those whom it has, and nobody else is sent there.
/// </remarks>
internal sealed class SilenceCheck(HostConfiguration host, IHostProbe probe, TopologyStore store, TimeProvider time) : IAsyncDisposable
{
    private const double RoundTrips = 8;
    private const double LeastRoundTrips = 3;
    private const double RoundTripsOfLogin = 12;
    private static readonly TimeSpan LeastDeadline = TimeSpan.FromMilliseconds(75);
    private static readonly TimeSpan MostDeadline = TimeSpan.FromMilliseconds(250);

    /// <summary>A login forks a process and hashes a password some thousand times.</summary>
    private static readonly TimeSpan LeastLoginDeadline = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(400);

    private readonly MovingAverage _usual = new();
    private Task _running = Task.CompletedTask;
    private int _isRunning;
    private int _void;
    private long _notBefore;
    private TimeSpan _pause = FirstPause;

    /// <summary>Notes how long an answered probe took, in ms.</summary>
    public void Learn(double milliseconds) => _usual.Record(milliseconds);

    /// <summary>Starts a check unless one is under way, or a host that has long work to do was asked a moment ago.</summary>
    /// <param name="isLoginStalled">Whether it is logins that wait.</param>
    /// <param name="stop">Ends it.</param>
    public void Start(bool isLoginStalled, CancellationToken stop)
    {
        var now = time.GetTimestamp();
        if (now < Volatile.Read(ref _notBefore) || !store.Current.Hosts[host.Index].IsServing) return;
        if (stop.IsCancellationRequested || Interlocked.Exchange(ref _isRunning, 1) != 0) return;
        _running = RunAsync(isLoginStalled, now, stop);
    }

    /// <summary>Tries whether the host lets anybody log in.</summary>
    public async Task CheckLoginAsync(CancellationToken stop)
    {
        var standing = store.Current.Hosts[host.Index];
        if (!standing.IsServing || standing.Last?.Answer is null) return;
        var (sentAt, deadline) = (time.GetTimestamp(), LoginDeadline);
        var login = probe.LoginAsync(stop);
        HostFailure? failure = null;
        if (!await EndsWithinAsync(login, deadline, stop).ConfigureAwait(false))
        {
            login.Forget();
            if (HealthSettings.WasPaused(sentAt, deadline, time)) return;
            failure = new HostFailure(FailureKind.Timeout, $"{host.Endpoint} serves open connections, but did not answer a login within {deadline.TotalMilliseconds:0} ms.");
        }
        else if (login.Exception is { } refused)
        {
            failure = FailureClassifier.Describe(refused.InnerException!, host);
        }

        if (!stop.IsCancellationRequested) store.Update(current => current.WithLogin(host.Index, failure, time));
    }

    public async ValueTask DisposeAsync() => await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private async Task RunAsync(bool isLoginStalled, long startedAt, CancellationToken stop)
    {
        try
        {
            var isSilent = await IsSilentAsync(startedAt, stop).ConfigureAwait(false);
            if (!isSilent && isLoginStalled) await CheckLoginAsync(stop).ConfigureAwait(false);
        }
        finally
        {
            var now = time.GetTimestamp();
            // A host that is checked again and again and answers each time has long work to do.
            _pause = time.GetElapsedTime(_notBefore, startedAt) > LongestPause ? FirstPause : 2 * _pause < LongestPause ? 2 * _pause : LongestPause;
            Volatile.Write(ref _notBefore, now + time.Ticks(_pause));
            Volatile.Write(ref _isRunning, 0);
        }
    }

    /// <summary>Asks twice, and publishes what comes of it.</summary>
    /// <returns>Whether the host hangs.</returns>
    private async Task<bool> IsSilentAsync(long sentAt, CancellationToken stop)
    {
        var deadline = Deadline;
        var kept = probe.ProbeAsync(stop);
        if (await EndsWithinAsync(kept, deadline, stop).ConfigureAwait(false)) return Publish(kept, sentAt, stop);
        var isVoid = HealthSettings.WasPaused(sentAt, deadline, time);

        var againAt = time.GetTimestamp();
        var login = probe.LoginAsync(stop);
        await EndsWithinAsync(Task.WhenAny(kept, login), deadline, stop).ConfigureAwait(false);
        // A login that is refused tells of the whole host, whatever the kept connection waits for.
        if (login.IsCompleted) return Publish(login, againAt, stop);
        if (kept.IsCompleted) return Publish(kept, sentAt, stop);
        kept.Forget();
        login.Forget();
        if ((isVoid || HealthSettings.WasPaused(againAt, deadline, time)) && _void++ < HealthSettings.MostVoid) return false;
        _void = 0;
        var message = $"{host.Endpoint} answered neither a probe nor a login within {deadline.TotalMilliseconds:0} ms each: it hangs, or is cut off.";
        if (!stop.IsCancellationRequested) store.Publish(new HostObservation(host.Index, againAt, time.GetTimestamp(), null, new HostFailure(FailureKind.Hung, message)));
        return true;
    }

    private bool Publish(Task<HostAnswer> ended, long sentAt, CancellationToken stop)
    {
        _void = 0;
        if (stop.IsCancellationRequested) return false;
        var failure = ended.Exception is { } e ? FailureClassifier.Describe(e.InnerException!, host) : null;
        store.Publish(new HostObservation(host.Index, sentAt, time.GetTimestamp(), failure is null ? ended.Result : null, failure));
        return failure is not null;
    }

    // A far region's round trip alone may take as long as the whole deadline of a near one.
    private TimeSpan Deadline => TimeSpan.FromMilliseconds(Math.Max(
        Math.Clamp(RoundTrips * _usual.Value, LeastDeadline.TotalMilliseconds, MostDeadline.TotalMilliseconds), LeastRoundTrips * _usual.Value));

    private TimeSpan LoginDeadline => TimeSpan.FromMilliseconds(Math.Max(LeastLoginDeadline.TotalMilliseconds, RoundTripsOfLogin * _usual.Value));

    private async Task<bool> EndsWithinAsync(Task task, TimeSpan limit, CancellationToken stop)
    {
        using var timer = CancellationTokenSource.CreateLinkedTokenSource(stop);
        await Task.WhenAny(task, Task.Delay(limit, time, timer.Token)).ConfigureAwait(false);
        await timer.CancelAsync().ConfigureAwait(false);
        return task.IsCompleted;
    }
}
