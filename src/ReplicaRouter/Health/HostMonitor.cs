using Microsoft.Extensions.Logging;

namespace ReplicaRouter.Health;

/// <summary>Watches one host: probes it again and again, whatever happens, and publishes what it learns.</summary>
internal sealed class HostMonitor(
    HostConfiguration host, IHostProbe probe, TopologyStore store, HealthSettings settings, TimeProvider time, Random random, ILogger logger) : IAsyncDisposable
{
    /// <summary>Until the first probes have said what they can, and while a host hangs in doubt, it is asked again soon.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(50);

    /// <summary>Time between two probes that callers' errors call for.</summary>
    private static readonly TimeSpan LeastPause = TimeSpan.FromMilliseconds(20);

    /// <summary>Intervals between two new logins, which show whether anybody is let in.</summary>
    private const int ProbesPerLogin = 10;

    private readonly SilenceCheck _silence = new(host, probe, store, time);
    private long _withoutPrimarySince;
    private long _loginAt = time.GetTimestamp();
    private long _letInAt = long.MinValue;
    private int _void;
    private long _wokenAt;
    private bool _isInStep = true;

    private readonly Lock _lock = new();
    private Task _asking = Task.CompletedTask;
    private Task? _askingNext;

    private readonly CancellationTokenSource _stop = new();
    private readonly Pause _pause = new(time);
    private Task _loop = Task.CompletedTask;

    public HostConfiguration Host => store.Present(host);

    /// <summary>Called with the duration of each answered probe over a connection that was open, in ms.</summary>
    public Action<double>? Answered { get; init; }

    /// <summary>How long the last probe took, in ms, whether it succeeded or not.</summary>
    public double LastProbeMs { get => Volatile.Read(ref field); private set => Volatile.Write(ref field, value); }

    /// <summary>When the last probe ended, in UTC ticks; 0 before the first.</summary>
    public long LastProbeAt { get => Volatile.Read(ref field); private set => Volatile.Write(ref field, value); }

    public void Start() => _loop = RunAsync();

    /// <summary>Probes now rather than at the end of the interval.</summary>
    public void Wake() => _pause.Cut();

    /// <summary>Probes now, and publishes what that shows without throwing. However many ask at once, one probe is under way, and one more for those who came later.</summary>
    public Task AskAsync()
    {
        lock (_lock)
        {
            if (_stop.IsCancellationRequested) return Task.CompletedTask;
            if (_askingNext is null && _asking.IsCompleted) return _asking = ProbeOnceAsync();
            return _askingNext ??= AskNextAsync(_asking);
        }
    }

    /// <summary>Counts a failure that a caller met, at once, and probes to see whether it is the host's.</summary>
    public void Report(HostFailure failure, long startedAt)
    {
        // It was removed, and another host may have its place.
        if (_stop.IsCancellationRequested) return;
        store.Publish(new HostObservation(host.Index, startedAt, time.GetTimestamp(), null, failure) { IsFromCaller = true });
        Wake();
    }

    /// <summary>Counts that a caller was not let in, though the host may well serve those who are; not when another who came later was.</summary>
    public void ReportLogin(HostFailure failure, long startedAt)
    {
        if (_stop.IsCancellationRequested) return;
        if (startedAt >= Volatile.Read(ref _letInAt)) store.Update(current => current.WithLogin(host.Index, failure, startedAt, time));
        Wake();
    }

    /// <summary>Notes that a caller's login has succeeded.</summary>
    public void ReportLetIn(long startedAt)
    {
        if (_stop.IsCancellationRequested) return;
        if (startedAt > Volatile.Read(ref _letInAt)) Volatile.Write(ref _letInAt, startedAt);
        if (store.Current.At(host.Index) is { LoginFailure: not null }) store.Update(current => current.WithLogin(host.Index, null, startedAt, time));
    }

    /// <summary>Has the host left out for a while, as it fails many statements that other hosts answer.</summary>
    public void ReportFaulty(string message, TimeSpan hold)
    {
        if (_stop.IsCancellationRequested) return;
        var now = time.GetTimestamp();
        store.Update(current => current.WithFaulty(host.Index, new FaultyHost(message, now, now + time.Ticks(hold)), time));
    }

    /// <summary>Has a host asked that is silent although work waits there, or logins do, with deadlines that tell within half a second whether it hangs.</summary>
    public void Verify(bool isLoginStalled)
    {
        if (!_stop.IsCancellationRequested) _silence.Start(isLoginStalled, _stop.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _pause.Cut();
        await _loop.ConfigureAwait(false);
        Task last;
        lock (_lock) last = _askingNext ?? _asking;
        await last.ConfigureAwait(false);
        await _silence.DisposeAsync().ConfigureAwait(false);
        await probe.DisposeAsync().ConfigureAwait(false);
        _pause.Dispose();
        _stop.Dispose();
    }

    private async Task AskNextAsync(Task before)
    {
        // Never at once, though it may have ended by now: this task is still to become the next one, and would stay it for ever, with no probe to come.
        await before.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        Task asking;
        lock (_lock)
        {
            _askingNext = null;
            asking = _asking = _stop.IsCancellationRequested ? Task.CompletedTask : ProbeOnceAsync();
        }

        await asking.ConfigureAwait(false);
    }

    private async Task RunAsync()
    {
        // Whoever starts it does not run the first probe.
        await _pause.OfAsync(TimeSpan.Zero).ConfigureAwait(false);
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await AskAsync().ConfigureAwait(false);
                // Once an interval, as the average expects it; those who ask may do so much more often. A login takes longer than a question.
                if (store.Current.At(host.Index) is not { } snapshot) return;
                if (snapshot.Last is { Answer.ConnectedAt: var connectedAt, SentAt: var sentAt } && connectedAt < sentAt) Answered?.Invoke(LastProbeMs);
                if (IsLoginDue(snapshot)) await _silence.CheckLoginAsync(_stop.Token).ConfigureAwait(false);
                await PauseAsync().ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // Whatever it is, a monitor that ends leaves its host unwatched for ever.
                Log.ProbeLoopFailed(logger, host.Name, e);
                await Task.Delay(settings.Interval, time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task ProbeOnceAsync()
    {
        try
        {
            await ProbeAndPublishAsync().ConfigureAwait(false);
        }
        catch (Exception) when (_stop.IsCancellationRequested)
        {
            // There is no use for more.
        }
        catch (Exception e)
        {
            // Whoever asked is not to fail for it, and looks at what is known.
            Log.ProbeLoopFailed(logger, host.Name, e);
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
            // A probe that is no longer waited for may end in an error that tells nothing new.
            pending?.Forget();
            if (e is TimeoutException && HealthSettings.WasPaused(sentAt, settings.Timeout, time) && _void++ < HealthSettings.MostVoid) return;
        }

        _void = 0;

        var receivedAt = time.GetTimestamp();
        var elapsed = time.GetElapsedTime(sentAt, receivedAt).TotalMilliseconds;
        LastProbeMs = elapsed;
        if (answer is not null) _silence.Learn(elapsed);
        LastProbeAt = time.GetUtcNow().UtcTicks;
        store.Publish(new HostObservation(host.Index, sentAt, receivedAt, answer, failure));
    }

    private async Task PauseAsync()
    {
        // A quarter more or less, so that the monitors of a fleet don't probe in step; and what started or woke this one may have done so to all of them.
        var pause = PauseOf(store.Current) * (_isInStep ? random.NextDouble() : 0.75 + (0.5 * random.NextDouble()));
        var isWoken = await _pause.OfAsync(pause).ConfigureAwait(false);
        // An answer that others have asked for meanwhile is as good as one of our own, and of a fleet's questions takes the place of one. The fleet may have asked in step.
        if (!isWoken && store.Current.At(host.Index)?.LastAnswered is { } answered && time.GetElapsedTime(answered.SentAt) is var age && age < pause)
        {
            var putOff = TimeSpan.Max(HealthSettings.ShareOf(store.Current.Probers), pause - age);
            isWoken = await _pause.OfAsync(putOff * (0.8 + (0.5 * random.NextDouble()))).ConfigureAwait(false);
        }

        _stop.Token.ThrowIfCancellationRequested();
        _isInStep = isWoken;
        if (!isWoken) return;
        // A hundred broken connections are one reason to look, not a hundred.
        if (time.GetElapsedTime(_wokenAt) < LeastPause) await Task.Delay(LeastPause, time, _stop.Token).ConfigureAwait(false);
        _wokenAt = time.GetTimestamp();
    }

    /// <summary>A login costs a server a hundred times as much as a probe: it is tried by the clock, however often the host is asked.</summary>
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
        // A standby that is about to reach the first position we know, as after a start, need not wait a whole interval for its traffic.
        if (snapshot.State == HostState.LagUnknown) interval /= 4;
        if (topology.Primary is not null || topology.Timeline == 0)
        {
            _withoutPrimarySince = 0;
            return interval;
        }

        if (_withoutPrimarySince == 0) _withoutPrimarySince = time.GetTimestamp();
        return PauseWithoutPrimary(time.GetElapsedTime(_withoutPrimarySince), interval);
    }

    /// <summary>Until a primary is found, which takes Patroni half a minute, writes wait: pauses are a twentieth of the time so far, a quarter of the interval at most.</summary>
    internal static TimeSpan PauseWithoutPrimary(TimeSpan gone, TimeSpan interval) => gone / 20 < Soon ? Soon : TimeSpan.Min(gone / 20, interval / 4);
}
