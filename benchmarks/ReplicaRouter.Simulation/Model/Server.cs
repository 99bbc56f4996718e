namespace ReplicaRouter.Simulation;

internal enum ServerState
{
    Up,

    /// <summary>Accepts packets but does nothing: frozen or cut off.</summary>
    Hung,

    /// <summary>Refuses connections.</summary>
    Down,
}

/// <summary>A simulated PostgreSQL server: workers with a queue, connections, a position in the WAL.</summary>
internal sealed class Server(EventQueue events, ServerModel model, HostConfiguration host, int probers)
{
    public const ulong Cluster = 7000000000000000001;
    private const double LsnPerTick = 0.01;   // 100 kB/s
    private const ulong FirstLsn = 1 << 24;
    private const long NeverStarted = long.MinValue / 2;

    private readonly Queue<Job> _waiting = new();
    private readonly HashSet<Job> _running = [];
    private readonly HashSet<Job> _sharing = [];
    private readonly List<Action> _due = [];
    private long _startedAt = NeverStarted;
    private ulong _replayed;
    private int _connectedProbers;

    public HostConfiguration Host => host;
    public bool IsPrimary => host.IsConfiguredPrimary;
    public ServerModel Model => model;
    public ServerState State { get; private set; }

    /// <summary>Rises when all connections are lost.</summary>
    public int Generation { get; private set; }

    public int Connections { get; private set; }

    /// <summary>The number of routers that probe the server. At the start it knows all of them; after a restart it counts those that connect.</summary>
    public int Probers => probers > 0 && _startedAt == NeverStarted ? probers : Math.Max(1, _connectedProbers);

    /// <summary>Factor by which the server is slower than usual.</summary>
    public double Slowness { get; set; } = 1;

    /// <summary>The replication lag as a function of time.</summary>
    public Func<long, TimeSpan>? Lag { get; set; }

    public SecondCounts Probes { get; } = new();
    public SecondCounts Logins { get; } = new();

    /// <summary>Number of jobs queued or in progress, without the cancelled ones.</summary>
    public int Queued { get; private set; }

    /// <summary>Factor by which a job that starts now is slower than usual.</summary>
    public double Factor => Slowness * (1 + ((model.ColdFactor - 1) * Math.Exp((_startedAt - events.Now) / (double)model.Warming.Ticks)));

    public TimeSpan LagNow => IsPrimary || Lag is null ? TimeSpan.Zero : Lag(events.Now);

    public void Submit(Job job)
    {
        if (State == ServerState.Down)
        {
            job.End(false);
            return;
        }

        job.IsQueued = true;
        Queued++;
        _waiting.Enqueue(job);
        StartNext();
    }

    /// <summary>
    /// Runs a probe or login next to the queries without queueing, like a backend on an operating system that shares its cores among all ready
    /// processes: the more are ready, the longer it takes. Its cost is also charged to the workers.
    /// </summary>
    public void Share(double demandMs, Action<bool> ended)
    {
        Submit(new Job(demandMs, _ => { }));
        var job = new Job(demandMs, ended);
        if (State == ServerState.Down)
        {
            job.End(false);
            return;
        }

        _sharing.Add(job);
        events.After(TimeSpan.FromMilliseconds(demandMs * Factor * Math.Max(1, Queued / (double)model.Workers)), () => Shared(job));
    }

    /// <summary>Cancels a job and frees its worker.</summary>
    public void Cancel(Job job)
    {
        if (job.IsOver) return;
        job.CallOff();
        if (job.IsQueued) Queued--;
        if (_running.Remove(job)) StartNext();
    }

    /// <returns>Null if the connection is accepted; otherwise the reason.</returns>
    public FailureKind? Admit()
    {
        if (State == ServerState.Down) return FailureKind.Unreachable;
        if (Connections >= model.MaxConnections) return FailureKind.Full;
        Enter();
        Logins.Count(events.Now);
        return null;
    }

    public void Enter() => Connections++;

    public void Leave(int generation)
    {
        if (generation == Generation) Connections--;
    }

    public void AddProber(int change, int generation)
    {
        if (generation == Generation) _connectedProbers += change;
    }

    public void Hang() => State = ServerState.Hung;

    public void Kill()
    {
        State = ServerState.Down;
        Generation++;
        (Connections, _connectedProbers) = (0, 0);
        _due.Clear();
        Queued = 0;
        List<Job> lost = [.. _running, .. _waiting, .. _sharing];
        _running.Clear();
        _waiting.Clear();
        _sharing.Clear();
        foreach (var job in lost) job.End(false);
    }

    /// <summary>Resumes the server: with cold caches if it was down, otherwise where it stopped.</summary>
    public void Resume()
    {
        if (State == ServerState.Down) _startedAt = events.Now;
        State = ServerState.Up;
        // Work that became due while the server hung ends now; other work ends in its time.
        List<Action> due = [.. _due];
        _due.Clear();
        foreach (var action in due) action();
        StartNext();
    }

    public HostAnswer Answer(long connectedAt, int itsProbers)
    {
        var lsn = LsnAt(events.Now);
        _replayed = Math.Max(_replayed, LsnAt(events.Now - LagNow.Ticks));
        return new HostAnswer
        {
            IsInRecovery = !IsPrimary,
            SystemIdentifier = Cluster,
            Timeline = 1,
            ReplayTimeline = 1,
            InsertLsn = IsPrimary ? lsn : null,
            FlushLsn = IsPrimary ? lsn : null,
            ReplayLsn = IsPrimary ? null : _replayed,
            ReceiveLsn = IsPrimary ? null : lsn,
            AsyncFlushMs = 600,
            StartedAt = Generation,
            ServerPort = 5432 + host.Index,
            Probers = itsProbers,
            ConnectedAt = connectedAt,
        };
    }

    private static ulong LsnAt(long time) => FirstLsn + (ulong)(Math.Max(0, time) * LsnPerTick);

    private void StartNext()
    {
        while (State == ServerState.Up && _running.Count < model.Workers && _waiting.TryDequeue(out var job))
        {
            if (job.IsOver) continue;
            _running.Add(job);
            events.After(TimeSpan.FromMilliseconds(job.DemandMs * Factor), () => Finish(job));
        }
    }

    private void Finish(Job job)
    {
        if (IsHeldUp(() => Finish(job)) || !_running.Remove(job)) return;
        Queued--;
        job.End(true);
        StartNext();
    }

    private void Shared(Job job)
    {
        if (!IsHeldUp(() => Shared(job)) && _sharing.Remove(job)) job.End(true);
    }

    private bool IsHeldUp(Action action)
    {
        if (State != ServerState.Hung) return false;
        _due.Add(action);
        return true;
    }
}
