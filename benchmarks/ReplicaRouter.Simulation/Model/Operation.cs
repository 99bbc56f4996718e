namespace ReplicaRouter.Simulation;

/// <summary>One read of a caller, who waits two seconds for it: chosen, run, run again or beside as the product does.</summary>
internal sealed class Operation(AppProcess process, double demandMs)
{
    /// <summary>As <c>RetryRules</c> has it.</summary>
    private const int MaxRuns = 3;

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan WaitForHost = TimeSpan.FromMilliseconds(20);

    private Run? _first;
    private Run? _second;
    private TimeSpan? _setAside;
    private long _secondAt;
    private ulong _excluded;
    private int _runs;
    private bool _isOver;

    public double DemandMs => demandMs;

    /// <summary>When the caller meant to begin, whatever held the process up since.</summary>
    public long IntendedAt { get; } = process.World.Events.Now;

    /// <summary>The caller comes, and is heard as soon as the process is not paused.</summary>
    public void Arrive() => process.Clock.At(IntendedAt, Begin);

    private void Begin()
    {
        process.Clock.At(IntendedAt + Deadline.Ticks, () => End(isAnswered: false));
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
        if (_isOver) return;
        _excluded |= 1UL << run.Host;
        if (run == _second) _second = null;
        else _first = null;
        if (_first is not null || _second is not null) return;
        if (wasSent && (++_runs >= MaxRuns || !process.Retries.TrySpend())) End(isAnswered: false);
        else Start();
    }

    private void Start()
    {
        if (_isOver) return;
        _first = process.TryRun(this, _excluded, isHedge: false);
        if (_first is not null)
        {
            _first.Begin();
            return;
        }

        // Those who failed may be back by then.
        _excluded = 0;
        process.Clock.After(WaitForHost, Start);
    }

    private void Hedge()
    {
        if (_isOver || _first is null || process.Hedging!.TryBegin(process.Plan.Index) is not { } setAside) return;
        (_setAside, _secondAt) = (setAside, process.World.Events.Now);
        _second = process.TryRun(this, _excluded | (1UL << _first.Host), isHedge: true);
        if (_second is null) return;
        process.World.Recorder.Hedged(IntendedAt);
        _second.Begin();
    }

    private void End(bool isAnswered)
    {
        if (_isOver) return;
        _isOver = true;
        var took = process.World.Events.Now - IntendedAt;
        process.World.Recorder.Ended(IntendedAt, TimeSpan.FromTicks(took), isAnswered);
        process.Hedging?.Ended(process.Plan.Index, TimeSpan.FromTicks(took));
        if (_setAside is { } setAside) process.Hedging!.SecondEnded(process.Plan.Index, setAside, TimeSpan.FromTicks(process.World.Events.Now - _secondAt));
        if (isAnswered) process.Retries.Earn();
        _first?.GiveUp(isHostLost: false);
        _second?.GiveUp(isHostLost: false);
    }
}
