namespace ReplicaRouter.Simulation;

/// <summary>One read of a caller, who waits two seconds for it: chosen, run, run again or beside as the product does.</summary>
/// <param name="process">The caller's process.</param>
/// <param name="demandMs">What the read costs on a server that is well.</param>
/// <param name="ended">What the caller does then.</param>
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

    /// <summary>Its place in the line for the primary.</summary>
    public PrimaryTicket? Ticket { get; set; }

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
        if (process.Hedging?.DelayOf(process.Plan.Index) is { } delay) process.Clock.After(delay, Hedge);
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

    /// <param name="run">What failed.</param>
    /// <param name="wasSent">Whether its command was sent: a connection that can't be opened is opened elsewhere, without end.</param>
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

    /// <summary>What is left of the time that it may wait.</summary>
    public TimeSpan LeftOf(TimeSpan wait) => wait - TimeSpan.FromTicks(process.World.Events.Now - IntendedAt);

    /// <summary>Gives up its place in the line for the primary.</summary>
    public void LeavePrimary()
    {
        if (Ticket is not { } ticket) return;
        Ticket = null;
        ticket.Dispose();
        process.LookForPlaces();
    }

    /// <summary>It can't be served in time.</summary>
    public void Refuse() => End(isAnswered: false, isRefused: true);

    /// <summary>A run found a line of callers that is too long.</summary>
    public void Refused(Run run)
    {
        if (IsOver) return;
        _underWay.Remove(run);
        GiveBack([run]);
        if (_underWay.Count == 0) Refuse();
    }

    /// <summary>Chooses a host, if one may serve.</summary>
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
        if (IsOver || _underWay.Count == 0 || process.Hedging!.TryBegin(process.Plan.Index) is not { } setAside) return;
        var excluded = _underWay.Aggregate(_excluded, (hosts, run) => hosts | (1UL << run.Host));
        if (process.TryRun(this, excluded, setAside) is not { } further)
        {
            process.Hedging.SecondEnded(process.Plan.Index, setAside, TimeSpan.Zero);
            return;
        }

        process.World.Recorder.Hedged(IntendedAt);
        Begin(further);
        if (++_further < HedgePolicy.MostFurtherRuns) process.Clock.After(setAside, Hedge);
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
            if (run.SetAside is { } setAside) process.Hedging!.SecondEnded(process.Plan.Index, setAside, TimeSpan.FromTicks(process.World.Events.Now - run.BeganAt));
        }
    }

    private void End(bool isAnswered, bool isRefused = false)
    {
        if (IsOver) return;
        IsOver = true;
        LeavePrimary();
        var took = process.World.Events.Now - IntendedAt;
        process.World.Recorder.Ended(IntendedAt, TimeSpan.FromTicks(took), isAnswered, isRefused);
        process.Hedging?.Ended(process.Plan.Index, TimeSpan.FromTicks(took), isAnswered: !isRefused);
        if (isAnswered) process.Retries.Earn();
        GiveBack(_underWay);
        _underWay.ForEach(run => run.GiveUp(isHostLost: false));
        ended?.Invoke();
    }
}
