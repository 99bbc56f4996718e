namespace ReplicaRouter.Simulation;

/// <summary>One attempt of an operation on one host: a connection, a command, an answer.</summary>
/// <param name="operation">The operation.</param>
/// <param name="process">The operation's process.</param>
/// <param name="host">The host.</param>
/// <param name="ticket">The ticket for the primary, if the host is the primary.</param>
/// <param name="setAside">The time reserved from the hedging budget; null unless the attempt is hedged.</param>
internal sealed class Run(Operation operation, AppProcess process, int host, PrimaryTicket? ticket, TimeSpan? setAside)
{
    private readonly World _world = process.World;
    private readonly Server _server = process.World.Servers[host];
    private readonly Pool _pool = process.Pools[host];
    private readonly HostLoad _load = process.Loads[host];

    private bool _isOver;
    private bool _isLoggingIn;
    private bool _hasConnection;
    private int _epoch;
    private int _generation;
    private long _sentAt = -1;
    private Job? _job;

    public int Host => host;
    public TimeSpan? SetAside => setAside;
    public long BeganAt { get; } = process.World.Events.Now;

    public void Begin()
    {
        _load.BeginOpening();
        process.UnderWay[host].Add(this);
        process.Watch();
        _epoch = _pool.Epoch;
        if (_pool.TryTake(out _generation))
        {
            _hasConnection = true;
            Send();
        }
        else if (process.Store.Current.Hosts[host].IsWarmOnly) Fail();
        // A hedged attempt never queues: it would only lengthen the queue.
        else if (_pool.IsLineTooLong || (setAside is not null && _pool.IsFull)) Refuse();
        else if (_pool.MayOpen(this)) Connect();
    }

    /// <summary>Continues with a connection that has become idle, if the attempt still waits for one.</summary>
    public bool TryGoOn(int epoch, int generation)
    {
        if (_isOver) return false;
        (_epoch, _generation, _hasConnection) = (epoch, generation, true);
        Send();
        return true;
    }

    /// <summary>Fails the attempt, because the pool was cleared while it waited.</summary>
    public void ChooseAgain()
    {
        if (!_isOver) Fail();
    }

    /// <summary>Refuses the attempt, because too many others wait for a connection.</summary>
    public void Refuse()
    {
        if (_isOver) return;
        Over(isBroken: false);
        operation.Refused(this);
    }

    /// <summary>Abandons the attempt.</summary>
    /// <param name="isHostLost">Whether the reason is that its host hangs; then the duration of its command is meaningless.</param>
    /// <param name="isBeaten">Whether an attempt that began later was faster.</param>
    public void GiveUp(bool isHostLost, bool isBeaten = false)
    {
        if (_isOver) return;
        if (_sentAt >= 0 && !isHostLost) _load.RecordCommand(process.Plan.Index, MillisecondsSince(_sentAt), isStopped: !isBeaten, isBeaten);
        if (_job is { } job) _world.Travel(() => _server.Cancel(job));
        // The connection is not reused before the cancellation has arrived.
        Over(isBroken: isHostLost);
    }

    /// <summary>Abandons the attempt because its host hangs, so that the operation tries another host.</summary>
    public void HostLost()
    {
        if (_isOver) return;
        GiveUp(isHostLost: true);
        operation.Failed(this, _sentAt >= 0);
    }

    /// <summary>Abandons the attempt if it is logging in, because the host no longer accepts logins.</summary>
    public void LoginsRefused()
    {
        if (_isLoggingIn) HostLost();
    }

    private void Connect()
    {
        var startedAt = process.Clock.GetTimestamp();
        _isLoggingIn = true;
        _load.Logins.Begin();
        // Three messages to the server and two back, before it begins to check the password.
        _world.Travel(5, () =>
        {
            if (_server.Admit() is { } refusal)
            {
                process.Receive(() => LoginRefused(refusal, startedAt));
                return;
            }

            var generation = _server.Generation;
            _server.Share(_server.Model.LoginMs, isDone => process.Receive(() =>
            {
                if (isDone) LoggedIn(generation);
                else LoginRefused(FailureKind.Unreachable, startedAt);
            }));
        });
    }

    private void LoginRefused(FailureKind kind, long startedAt)
    {
        _pool.Failed(_epoch);
        if (_isOver) return;
        if (kind == FailureKind.Full) process.Monitors[host].ReportLogin(new HostFailure(kind, "too many connections"), startedAt);
        else process.Monitors[host].Report(new HostFailure(kind, "refused"), startedAt);
        Fail();
    }

    private void LoggedIn(int generation)
    {
        _pool.Opened(generation);
        if (_isOver)
        {
            _pool.Return(_epoch, generation, isBroken: false);
            return;
        }

        _isLoggingIn = false;
        _load.Logins.End();
        (_generation, _hasConnection) = (generation, true);
        Send();
    }

    private void Send()
    {
        _sentAt = process.Clock.GetTimestamp();
        _load.Commands.Begin();
        _load.EndOpening();
        var job = _job = new Job(operation.DemandMs, isDone => process.Receive(() => Answered(isDone)));
        _world.Recorder.Sent(host, operation.IntendedAt);
        _world.Travel(() =>
        {
            if (_generation != _server.Generation) job.End(false);
            else if (!job.IsOver)
            {
                _world.Recorder.Read(_server.LagNow, operation.IntendedAt);
                _server.Submit(job);
            }
        });
    }

    private void Answered(bool isDone)
    {
        if (_isOver) return;
        if (!isDone)
        {
            process.Monitors[host].Report(new HostFailure(FailureKind.Unreachable, "broken"), _sentAt);
            Fail();
            return;
        }

        var took = MillisecondsSince(_sentAt);
        _load.RecordCommand(process.Plan.Index, took);
        process.Picker.Ended(host, took);
        Over(isBroken: false);
        operation.Answered(this);
    }

    private void Fail()
    {
        Over(isBroken: true);
        operation.Failed(this, _sentAt >= 0);
    }

    private void Over(bool isBroken)
    {
        _isOver = true;
        if (_sentAt >= 0) _load.Commands.End();
        else _load.EndOpening();
        if (_isLoggingIn) _load.Logins.End();
        _isLoggingIn = false;
        process.UnderWay[host].Remove(this);
        ticket?.Dispose();
        if (_hasConnection) _pool.Return(_epoch, _generation, isBroken);
        if (ticket is not null) process.LookForPlaces();
    }

    private double MillisecondsSince(long timestamp) => process.Clock.GetElapsedTime(timestamp).TotalMilliseconds;
}
