namespace ReplicaRouter.Health;

/// <summary>Finds out whether a silent host hangs, or is only busy with long work.</summary>
/// <remarks>
/// It probes over the kept connection and, a moment later, over a new login as well. If neither is answered within a few usual round trips, the host
/// hangs. If only logins are not answered, the host serves its open connections, and no new ones are opened.
/// </remarks>
internal sealed class SilenceCheck(HostConfiguration host, IHostProbe probe, TopologyStore store, TimeProvider time) : IAsyncDisposable
{
    private const double RoundTrips = 16;
    private const double LeastRoundTrips = 3;

    /// <summary>Share of the deadline after which a login is tried as well. A login costs as much as a hundred probes, and a busy host just answers late.</summary>
    private const double UntilLogin = 0.5;

    private const double LoginsPerDeadline = 4;

    /// <summary>A lost packet is sent again after 200 ms. Packet loss must not look like a hung host.</summary>
    /// <remarks>Source: RFC 6298 for the time-out, TCP_RTO_MIN of the Linux kernel for its minimum.</remarks>
    private static readonly TimeSpan LeastDeadline = TimeSpan.FromMilliseconds(225);
    private static readonly TimeSpan MostDeadline = TimeSpan.FromMilliseconds(450);

    /// <summary>A login forks a process and hashes a password several thousand times.</summary>
    private static readonly TimeSpan LeastLoginDeadline = TimeSpan.FromMilliseconds(500);

    /// <summary>Pause after the third and later answered checks in a row; a quarter of it after the first. A large fleet pauses longer, to spare the silent host.</summary>
    private static readonly TimeSpan LeastLongestPause = TimeSpan.FromMilliseconds(400);

    private readonly MovingAverage _usual = new();
    private readonly MovingAverage _usualLogin = new();
    private Task _running = Task.CompletedTask;
    private int _isRunning;
    private int _discarded;
    private int _missedLogins;
    private long _notBefore;
    private TimeSpan _pause;

    /// <summary>Records how long an answered probe took, in ms.</summary>
    public void Learn(double milliseconds) => _usual.Record(milliseconds);

    /// <summary>Starts a check, of logins too if they are stalled, unless one is in progress or a busy host was checked a moment ago.</summary>
    public void Start(bool isLoginStalled, CancellationToken stop)
    {
        var now = time.GetTimestamp();
        if (now < Volatile.Read(ref _notBefore) || store.Current.At(host.Index) is not { IsServing: true }) return;
        if (stop.IsCancellationRequested || Interlocked.Exchange(ref _isRunning, 1) != 0) return;
        _running = RunAsync(isLoginStalled, now, stop);
    }

    /// <summary>Tests whether the host accepts logins. Two misses in a row mean that it does not, one success that it does.</summary>
    public async Task CheckLoginAsync(CancellationToken stop)
    {
        if (await IsLoginMissedAsync(stop).ConfigureAwait(false) && _missedLogins == 1) await IsLoginMissedAsync(stop).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync() => await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private async Task RunAsync(bool isLoginStalled, long startedAt, CancellationToken stop)
    {
        try
        {
            // Yield, so that the caller does not run the check.
            await time.YieldAsync().ConfigureAwait(false);
            var isWell = await ProbeFailsAsync(startedAt, stop).ConfigureAwait(false) is false;
            if (isWell && isLoginStalled) await CheckLoginAsync(stop).ConfigureAwait(false);
        }
        finally
        {
            // A host that answers check after check is busy with long work: check it less often.
            var longest = TimeSpan.Max(HealthSettings.ShareOf(store.Current.Probers), LeastLongestPause);
            _pause = time.GetElapsedTime(_notBefore, startedAt) > longest ? longest / 4 : TimeSpan.Min(2 * _pause, longest);
            Volatile.Write(ref _notBefore, time.GetTimestamp() + time.Ticks(_pause));
            Volatile.Write(ref _isRunning, 0);
        }
    }

    /// <summary>Probes twice, publishes the outcome, and returns whether the host failed.</summary>
    private async Task<bool> ProbeFailsAsync(long sentAt, CancellationToken stop)
    {
        var deadline = Deadline;
        var kept = probe.ProbeAsync(stop);
        if (await kept.EndsWithinAsync(deadline * UntilLogin, time, stop).ConfigureAwait(false)) return Publish(kept, sentAt, stop);

        var againAt = time.GetTimestamp();
        using var noLongerNeeded = new CancellationTokenSource();
        var login = LoginAsync(noLongerNeeded.Token, stop);
        await Task.WhenAny(kept, login).EndsWithinAsync(deadline * (1 - UntilLogin), time, stop).ConfigureAwait(false);
        // A login's outcome is about the whole host, even if the kept connection still waits.
        if (login.IsCompleted) return Publish(login, againAt, stop);
        login.Forget();
        if (kept.IsCompleted)
        {
            // If the login succeeds after all, it need not ask as well.
            await noLongerNeeded.CancelAsync().ConfigureAwait(false);
            return Publish(kept, sentAt, stop);
        }

        kept.Forget();
        // Another probe was in progress and has been answered meanwhile.
        if (store.Current.At(host.Index)?.LastAnswered is { } answered && answered.ReceivedAt > sentAt) return false;
        if (HealthSettings.WasPaused(sentAt, deadline, time) && _discarded++ < HealthSettings.MaxDiscarded) return false;
        _discarded = 0;
        var message = $"{host.Endpoint} answered neither a probe nor a login within {deadline.TotalMilliseconds:0} ms: it hangs, or is cut off.";
        if (!stop.IsCancellationRequested) store.Publish(new HostObservation(host.Index, againAt, time.GetTimestamp(), null, new HostFailure(FailureKind.Hung, message)));
        return true;
    }

    private async Task<HostAnswer> LoginAsync(CancellationToken noLongerNeeded, CancellationToken stop)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(noLongerNeeded, stop);
        return await probe.LoginAsync(either.Token).ConfigureAwait(false);
    }

    private bool Publish(Task<HostAnswer> ended, long sentAt, CancellationToken stop)
    {
        _discarded = 0;
        if (stop.IsCancellationRequested) return false;
        var failure = ended.Exception is { } e ? FailureClassifier.Describe(e.InnerException!, store.Present(host)) : null;
        store.Publish(new HostObservation(host.Index, sentAt, time.GetTimestamp(), failure is null ? ended.Result : null, failure));
        return failure is not null;
    }

    private async Task<bool> IsLoginMissedAsync(CancellationToken stop)
    {
        if (store.Current.At(host.Index) is not { IsServing: true, IsAnswering: true }) return false;
        var (sentAt, deadline) = (time.GetTimestamp(), LoginDeadline);
        var login = probe.LoginAsync(stop);
        var isMissed = !await login.EndsWithinAsync(deadline, time, stop).ConfigureAwait(false);
        if (stop.IsCancellationRequested || (isMissed && HealthSettings.WasPaused(sentAt, deadline, time))) return false;
        if (!isMissed)
        {
            OnLoginEnded(login, sentAt);
            return false;
        }

        // A slow login still counts as one.
        _ = login.ContinueWith(late => OnLoginEnded(late, sentAt), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        if (++_missedLogins > 1) Publish(sentAt, new HostFailure(FailureKind.Timeout, $"{host.Endpoint} serves open connections, but left two logins in a row unanswered for {deadline.TotalMilliseconds:0} ms."));
        return true;
    }

    private void OnLoginEnded(Task<HostAnswer> login, long sentAt)
    {
        if (login.IsCanceled) return;
        _missedLogins = 0;
        if (login.Exception is { } refused)
        {
            Publish(sentAt, FailureClassifier.Describe(refused.InnerException!, store.Present(host)));
            return;
        }

        _usualLogin.Record(time.GetElapsedTime(sentAt).TotalMilliseconds);
        Publish(sentAt, null);
    }

    private void Publish(long sentAt, HostFailure? login) => store.Update(current => current.WithLogin(host.Index, login, sentAt, time));

    // A single round trip to a distant region can take as long as the whole deadline of a near host.
    private TimeSpan Deadline => TimeSpan.FromMilliseconds(Math.Max(
        Math.Clamp(RoundTrips * _usual.Value, LeastDeadline.TotalMilliseconds, MostDeadline.TotalMilliseconds), LeastRoundTrips * _usual.Value));

    private TimeSpan LoginDeadline => TimeSpan.FromMilliseconds(Math.Max(LeastLoginDeadline.TotalMilliseconds, LoginsPerDeadline * _usualLogin.Value));
}
