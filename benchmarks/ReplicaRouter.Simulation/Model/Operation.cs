namespace ReplicaRouter.Simulation;

/// <summary>One read of a caller, who waits two seconds for it. Chooses a host, retries and hedges as the product does.</summary>
/// <param name="process">The caller's process.</param>
/// <param name="demandMs">The cost of the read on a healthy server, in ms.</param>
/// <param name="ended">What the caller does at the end.</param>
internal sealed class Operation(AppProcess process, double demandMs, Action? ended = null)
{
    private const int MaxRuns = RetryTable.MaxRuns;

    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromMilliseconds(400);

    private readonly List<Run> _underWay = new(1);
    private int _further;
    private ulong _excluded;
    private long _failedAt;
    private TimeSpan _backoff;
    private int _runs;

    public double DemandMs => demandMs;

    /// <summary>Its ticket in the queue for the primary.</summary>
    public PrimaryTicket? Ticket { get; set; }

    /// <summary>When the caller meant to begin, even if the process was paused then.</summary>
    public long IntendedAt { get; } = process.World.Events.Now;

    /// <summary>Whether the caller has an answer or no longer waits for it.</summary>
    public bool IsOver { get; private set; }

    /// <summary>The caller arrives. The operation begins as soon as the process is not paused.</summary>
    public void Arrive() => process.Clock.Do(Begin);

    /// <summary>The caller's time-out has expired.</summary>
    public void Expire() => process.Clock.Do(() => End(isAnswered: false));

    /// <summary>Chooses again after the topology has changed. Hosts that have answered since the failure become candidates again, after a randomized backoff.</summary>
    public void GoOn()
    {
        if (IsOver || _underWay.Count > 0) return;
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
        if (process.Hedging?.Delay is { } delay) process.Clock.After(delay, Hedge);
        Start();
    }

    public void Answered(Run run)
    {
        if (IsOver) return;
        if (run.SetAside is not null) process.World.Recorder.HedgeWon(IntendedAt);
        _underWay.Remove(run);
        foreach (var slower in _underWay) slower.GiveUp(isHostLost: false, isBeaten: slower.BeganAt < run.BeganAt);
        GiveBack([run]);
        End(isAnswered: true);
    }

    /// <param name="run">The failed attempt.</param>
    /// <param name="wasSent">Whether its command was sent. A failure to connect does not count against the retries.</param>
    public void Failed(Run run, bool wasSent)
    {
        if (IsOver) return;
        _excluded |= 1UL << run.Host;
        _failedAt = process.Clock.GetTimestamp();
        _underWay.Remove(run);
        GiveBack([run]);
        if (_underWay.Count > 0) return;
        if (wasSent && (++_runs >= MaxRuns || !process.Retries.TrySpend())) End(isAnswered: false);
        else Start();
    }

    /// <summary>Returns the rest of the time that the operation can wait.</summary>
    public TimeSpan LeftOf(TimeSpan wait) => wait - TimeSpan.FromTicks(process.World.Events.Now - IntendedAt);

    /// <summary>Leaves the queue for the primary.</summary>
    public void LeavePrimary()
    {
        if (Ticket is not { } ticket) return;
        Ticket = null;
        ticket.Dispose();
        process.LookForPlaces();
    }

    /// <summary>Refuses the operation, because it cannot be served in time.</summary>
    public void Refuse() => End(isAnswered: false, isRefused: true);

    /// <summary>An attempt was refused, because its pool's queue was too long.</summary>
    public void Refused(Run run)
    {
        if (IsOver) return;
        _underWay.Remove(run);
        GiveBack([run]);
        if (_underWay.Count == 0) Refuse();
    }

    /// <summary>Chooses a host and begins an attempt; without a host, waits for a change.</summary>
    public void Start()
    {
        if (IsOver || _underWay.Count > 0) return;
        if (process.TryRun(this, _excluded, setAside: null) is { } first) Begin(first);
        else if (!IsOver) process.WaitForNews(this);
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
        if (IsOver || _underWay.Count == 0 || process.Hedging!.TryBegin() is not { } setAside) return;
        var excluded = _underWay.Aggregate(_excluded, (hosts, run) => hosts | (1UL << run.Host));
        if (process.TryRun(this, excluded, setAside) is not { } further)
        {
            process.Hedging.HedgeEnded(setAside, TimeSpan.Zero);
            return;
        }

        process.World.Recorder.Hedged(IntendedAt);
        Begin(further);
        if (++_further < HedgePolicy.MaxHedges) process.Clock.After(setAside, Hedge);
    }

    private void Begin(Run run)
    {
        _underWay.Add(run);
        run.Begin();
    }

    private void GiveBack(IEnumerable<Run> ended)
    {
        foreach (var run in ended)
        {
            if (run.SetAside is { } setAside) process.Hedging!.HedgeEnded(setAside, TimeSpan.FromTicks(process.World.Events.Now - run.BeganAt));
        }
    }

    private void End(bool isAnswered, bool isRefused = false)
    {
        if (IsOver) return;
        IsOver = true;
        LeavePrimary();
        var took = process.World.Events.Now - IntendedAt;
        process.World.Recorder.Ended(IntendedAt, TimeSpan.FromTicks(took), isAnswered, isRefused);
        process.Hedging?.Ended(TimeSpan.FromTicks(took), isAnswered: !isRefused);
        if (isAnswered) process.Retries.Earn();
        GiveBack(_underWay);
        _underWay.ForEach(run => run.GiveUp(isHostLost: false));
        ended?.Invoke();
    }
}
