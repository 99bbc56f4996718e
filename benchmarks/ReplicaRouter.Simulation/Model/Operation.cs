namespace ReplicaRouter.Simulation;

/// <summary>One read of a caller, who waits two seconds for it: chosen, run, run again or beside as the product does.</summary>
internal sealed class Operation(AppProcess process, double demandMs)
{
    /// <summary>As <c>RetryRules</c> has it.</summary>
    private const int MaxRuns = 3;

    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromMilliseconds(400);

    private Run? _first;
    private Run? _second;
    private TimeSpan? _setAside;
    private long _secondAt;
    private ulong _excluded;
    private long _failedAt;
    private TimeSpan _backoff;
    private int _runs;

    public double DemandMs => demandMs;

    /// <summary>When the caller meant to begin, whatever held the process up since.</summary>
    public long IntendedAt { get; } = process.World.Events.Now;

    /// <summary>Whether the caller has an answer, or does not wait for it any more.</summary>
    public bool IsOver { get; private set; }

    /// <summary>The caller comes, and is heard as soon as the process is not paused.</summary>
    public void Arrive() => process.Clock.Do(Begin);

    /// <summary>The caller's time is up.</summary>
    public void Expire() => process.Clock.Do(() => End(isAnswered: false));

    /// <summary>Something is known that was not when no host could serve: hosts that have answered since get another try, but not at once from all who wait, again and again.</summary>
    public void GoOn()
    {
        if (IsOver) return;
        if (!ForgivesAnswered())
        {
            Start();
            return;
        }

        _backoff = _backoff == TimeSpan.Zero ? FirstBackoff : _backoff < LongestBackoff ? 2 * _backoff : LongestBackoff;
        process.Clock.After(_backoff * process.Random.NextDouble(), Start);
    }

    private void Begin()
    {
        if (process.Hedging?.DelayOf(process.Plan.Index) is { } delay) process.Clock.After(delay, Hedge);
        Start();
    }

    public void Answered(Run run)
    {
        if (run == _second)
        {
            process.World.Recorder.HedgeWon(IntendedAt);
            _first?.GiveUp(isHostLost: false, isBeaten: true);
        }

        End(isAnswered: true);
    }

    /// <param name="run">What failed.</param>
    /// <param name="wasSent">Whether its command was sent: a connection that can't be opened is opened elsewhere, without end.</param>
    public void Failed(Run run, bool wasSent)
    {
        if (IsOver) return;
        _excluded |= 1UL << run.Host;
        _failedAt = process.Clock.GetTimestamp();
        if (run == _second) _second = null;
        else _first = null;
        if (_first is not null || _second is not null) return;
        if (wasSent && (++_runs >= MaxRuns || !process.Retries.TrySpend())) End(isAnswered: false);
        else Start();
    }

    private void Start()
    {
        if (IsOver) return;
        _first = process.TryRun(this, _excluded, isHedge: false);
        if (_first is null) process.WaitForNews(this);
        else _first.Begin();
    }

    private bool ForgivesAnswered()
    {
        var before = _excluded;
        foreach (var host in process.Store.Current.Hosts)
        {
            if (host.LastAnswered is { } answered && answered.SentAt >= _failedAt) _excluded &= ~host.Configuration.Bit;
        }

        return _excluded != before;
    }

    private void Hedge()
    {
        if (IsOver || _first is null || process.Hedging!.TryBegin(process.Plan.Index) is not { } setAside) return;
        (_setAside, _secondAt) = (setAside, process.World.Events.Now);
        _second = process.TryRun(this, _excluded | (1UL << _first.Host), isHedge: true);
        if (_second is null) return;
        process.World.Recorder.Hedged(IntendedAt);
        _second.Begin();
    }

    private void End(bool isAnswered)
    {
        if (IsOver) return;
        IsOver = true;
        var took = process.World.Events.Now - IntendedAt;
        process.World.Recorder.Ended(IntendedAt, TimeSpan.FromTicks(took), isAnswered);
        process.Hedging?.Ended(process.Plan.Index, TimeSpan.FromTicks(took));
        if (_setAside is { } setAside) process.Hedging!.SecondEnded(process.Plan.Index, setAside, TimeSpan.FromTicks(process.World.Events.Now - _secondAt));
        if (isAnswered) process.Retries.Earn();
        _first?.GiveUp(isHostLost: false);
        _second?.GiveUp(isHostLost: false);
    }
}
