using Microsoft.Extensions.Logging;

namespace ReplicaRouter.Health;

/// <summary>Watches one host: probes it periodically, survives every error, and publishes what it learns.</summary>
internal sealed class HostMonitor(
    HostConfiguration host, IHostProbe probe, TopologyStore store, HealthSettings settings, TimeProvider time, Random random, ILogger logger) : IAsyncDisposable
{
    /// <summary>Pause between probes until the host is settled, and while it is suspect.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(50);

    /// <summary>Shortest time between two probes that callers' errors trigger.</summary>
    private static readonly TimeSpan LeastPause = TimeSpan.FromMilliseconds(20);

    /// <summary>Probe intervals between two test logins, which show whether the host accepts new connections.</summary>
    private const int ProbesPerLogin = 10;

    private readonly SilenceCheck _silence = new(host, probe, store, time);
    private long _withoutPrimarySince;
    private long _loginAt = time.GetTimestamp();
    private long _letInAt = long.MinValue;
    private int _discarded;
    private long _wokenAt;
    private bool _isInStep = true;

    private readonly Lock _lock = new();
    private Task _last = Task.CompletedTask;
    private bool _isLastWaiting;

    private readonly CancellationTokenSource _stop = new();
    private readonly Pause _pause = new(time);
    private Task _loop = Task.CompletedTask;

    public HostConfiguration Host => store.Present(host);

    /// <summary>Called with the duration in ms of each answered probe over a connection that was already open.</summary>
    public Action<double>? Answered { get; init; }

    /// <summary>Duration of the last probe in ms, whether it succeeded or not.</summary>
    public double LastProbeMs { get => Volatile.Read(ref field); private set => Volatile.Write(ref field, value); }

    /// <summary>End of the last probe in UTC ticks; 0 before the first.</summary>
    public long LastProbeAt { get => Volatile.Read(ref field); private set => Volatile.Write(ref field, value); }

    public void Start() => _loop = RunAsync();

    /// <summary>Probes now rather than at the end of the interval.</summary>
    public void Wake() => _pause.Cut();

    /// <summary>Probes now and publishes the outcome; never throws. Callers that arrive while a probe is in progress share one further probe.</summary>
    public Task ProbeNowAsync()
    {
        lock (_lock)
        {
            if (_isLastWaiting) return _last;
            _isLastWaiting = true;
            return _last = ProbeAfterAsync(_last);
        }
    }

    /// <summary>Publishes a caller's failure at once, and probes to see whether the host is at fault.</summary>
    public void Report(HostFailure failure, long startedAt)
    {
        // The host was removed, and another one may have its index.
        if (_stop.IsCancellationRequested) return;
        store.Publish(new HostObservation(host.Index, startedAt, time.GetTimestamp(), null, failure) { IsFromCaller = true });
        Wake();
    }

    /// <summary>Publishes a caller's failed login, unless a later login succeeded. The host can still serve open connections.</summary>
    public void ReportLogin(HostFailure failure, long startedAt)
    {
        if (_stop.IsCancellationRequested) return;
        if (startedAt >= Volatile.Read(ref _letInAt)) store.Update(current => current.WithLogin(host.Index, failure, startedAt, time));
        Wake();
    }

    public void ReportLetIn(long startedAt)
    {
        if (_stop.IsCancellationRequested) return;
        if (startedAt > Volatile.Read(ref _letInAt)) Volatile.Write(ref _letInAt, startedAt);
        if (store.Current.At(host.Index) is { LoginFailure: not null }) store.Update(current => current.WithLogin(host.Index, null, startedAt, time));
    }

    /// <summary>Ejects the host for a while, as it fails many statements that succeed on other hosts.</summary>
    public void ReportFaulty(string message, TimeSpan hold)
    {
        if (_stop.IsCancellationRequested) return;
        var now = time.GetTimestamp();
        store.Update(current => current.WithFaulty(host.Index, new FaultyHost(message, now, now + time.Ticks(hold)), time));
    }

    /// <summary>Checks a host that is silent although commands or logins wait there. Tight deadlines show within half a second whether it hangs.</summary>
    public void Verify(bool isLoginStalled)
    {
        if (!_stop.IsCancellationRequested) _silence.Start(isLoginStalled, _stop.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _pause.Cut();
        await _loop.ConfigureAwait(false);
        // Starts no probe any more, and waits for those that were started.
        await ProbeNowAsync().ConfigureAwait(false);
        await _silence.DisposeAsync().ConfigureAwait(false);
        await probe.DisposeAsync().ConfigureAwait(false);
        _pause.Dispose();
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        // Yield, so that the caller of Start does not run the first probe.
        await _pause.OfAsync(TimeSpan.Zero).ConfigureAwait(false);
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await ProbeNowAsync().ConfigureAwait(false);
                // Only here, once an interval, as the average expects: ProbeNowAsync can probe far more often. A probe with a login takes longer, and does not count.
                if (store.Current.At(host.Index) is not { } snapshot) return;
                if (snapshot.Last is { Answer.ConnectedAt: var connectedAt, SentAt: var sentAt } && connectedAt < sentAt) Answered?.Invoke(LastProbeMs);
                if (IsLoginDue(snapshot)) await _silence.CheckLoginAsync(_stop.Token).ConfigureAwait(false);
                await PauseAsync().ConfigureAwait(false);
            }
            catch (Exception e)
            {
                // A monitor that ends would leave its host unwatched for ever.
                if (!_stop.IsCancellationRequested) Log.ProbeLoopFailed(logger, host.Name, e);
                await Task.Delay(settings.Interval, time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task ProbeAfterAsync(Task before)
    {
        await before.ConfigureAwait(false);
        lock (_lock) _isLastWaiting = false;
        if (_stop.IsCancellationRequested) return;
        try
        {
            await ProbeAndPublishAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // Callers of ProbeNowAsync must not fail for it; they use what is known.
            if (!_stop.IsCancellationRequested) Log.ProbeLoopFailed(logger, host.Name, e);
        }
    }

    private async Task ProbeAndPublishAsync()
    {
        var sentAt = time.GetTimestamp();
        HostAnswer? answer = null;
        HostFailure? failure = null;
        Task<HostAnswer>? pending = null;
        try
        {
            pending = probe.ProbeAsync(_stop.Token);
            answer = await pending.WaitAsync(settings.Timeout, time, _stop.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (!_stop.IsCancellationRequested)
        {
            failure = FailureClassifier.Describe(e, Host);
            // The abandoned probe can still fail, which shows nothing new.
            pending?.Forget();
            if (e is TimeoutException && HealthSettings.WasPaused(sentAt, settings.Timeout, time) && _discarded++ < HealthSettings.MaxDiscarded) return;
        }

        _discarded = 0;

        var receivedAt = time.GetTimestamp();
        LastProbeMs = time.GetElapsedTime(sentAt, receivedAt).TotalMilliseconds;
        if (answer is not null) _silence.Learn(LastProbeMs);
        LastProbeAt = time.GetUtcNow().UtcTicks;
        store.Publish(new HostObservation(host.Index, sentAt, receivedAt, answer, failure));
    }

    private async Task PauseAsync()
    {
        // Jitter by a quarter, so that the monitors of a fleet don't probe in step. What started or woke this one may have done so to all: then spread over the whole pause.
        var pause = PauseOf(store.Current) * (_isInStep ? random.NextDouble() : 0.75 + (0.5 * random.NextDouble()));
        var isWoken = await _pause.OfAsync(pause).ConfigureAwait(false);
        // An answer to ProbeNowAsync in the meantime replaces our own probe, so that a fleet sends no more than its share. Jitter again, as the fleet may have asked in step.
        if (!isWoken && store.Current.At(host.Index)?.LastAnswered is { } answered && time.GetElapsedTime(answered.SentAt) is var age && age < pause)
        {
            var putOff = TimeSpan.Max(HealthSettings.ShareOf(store.Current.Probers), pause - age);
            isWoken = await _pause.OfAsync(putOff * (0.8 + (0.5 * random.NextDouble()))).ConfigureAwait(false);
        }

        _stop.Token.ThrowIfCancellationRequested();
        _isInStep = isWoken;
        if (!isWoken) return;
        // A hundred broken connections are one reason to probe, not a hundred.
        if (time.GetElapsedTime(_wokenAt) < LeastPause) await Task.Delay(LeastPause, time, _stop.Token).ConfigureAwait(false);
        _wokenAt = time.GetTimestamp();
    }

    /// <summary>Whether a test login is due. It costs the server a hundred times as much as a probe, so it goes by the clock, however often the host is probed.</summary>
    private bool IsLoginDue(HostSnapshot snapshot)
    {
        var pause = snapshot.LoginFailure is not null ? settings.Interval / 4 : settings.Interval * ProbesPerLogin * (1 + (store.Current.Probers / 100));
        if (time.GetElapsedTime(_loginAt) < pause) return false;
        _loginAt = time.GetTimestamp();
        return true;
    }

    private TimeSpan PauseOf(TopologySnapshot topology)
    {
        if (topology.At(host.Index) is not { } snapshot) return settings.Interval;
        if (!snapshot.IsSettled || snapshot.State == HostState.Suspect) return Soon;
        if (snapshot.State == HostState.Recovering) return TimeSpan.Max(HealthSettings.ProofOf(topology.Probers), Soon);
        var interval = settings.IntervalOf(topology.Probers);
        // A standby that is about to reach the first known position, as after a start, should not wait a whole interval for traffic.
        if (snapshot.State == HostState.LagUnknown) interval /= 4;
        if (topology.Primary is not null || topology.Timeline == 0)
        {
            _withoutPrimarySince = 0;
            return interval;
        }

        if (_withoutPrimarySince == 0) _withoutPrimarySince = time.GetTimestamp();
        return PauseWithoutPrimary(time.GetElapsedTime(_withoutPrimarySince), interval);
    }

    /// <summary>
    /// Returns the pause while there is no primary and writes wait: a twentieth of the time so far, at most a quarter of the interval. Patroni takes half a minute to promote.
    /// </summary>
    internal static TimeSpan PauseWithoutPrimary(TimeSpan gone, TimeSpan interval) => gone / 20 < Soon ? Soon : TimeSpan.Min(gone / 20, interval / 4);
}
