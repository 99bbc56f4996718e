namespace ReplicaRouter.Simulation;

/// <summary>One run of an operation on one host: a connection, a command, an answer.</summary>
/// <param name="operation">The operation.</param>
/// <param name="process">Its process.</param>
/// <param name="host">The host.</param>
/// <param name="ticket">Its place on the primary, if it is that.</param>
/// <param name="setAside">What was set aside for it, if it is a further run beside a slow one.</param>
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
        // A second run waits for nothing: it would only make the line longer.
        else if (_pool.IsLineTooLong || (setAside is not null && _pool.IsFull)) Refuse();
        else if (_pool.MayOpen(this)) Connect();
    }

    /// <summary>A connection has become free for a run that waited for one.</summary>
    public bool TryGoOn(int epoch, int generation)
    {
        if (_isOver) return false;
        (_epoch, _generation, _hasConnection) = (epoch, generation, true);
        Send();
        return true;
    }

    /// <summary>The pool was emptied while it waited.</summary>
    public void ChooseAgain()
    {
        if (!_isOver) Fail();
    }

    /// <summary>Too many others wait for a connection.</summary>
    public void Refuse()
    {
        if (_isOver) return;
        Over(isBroken: false);
        operation.Refused(this);
    }

    /// <summary>Nobody waits for it any more.</summary>
    /// <param name="isHostLost">Whether that is because its host hangs: how long its command took says nothing then.</param>
    /// <param name="isBeaten">Whether a run that began later was faster.</param>
    public void GiveUp(bool isHostLost, bool isBeaten = false)
    {
        if (_isOver) return;
        if (_sentAt >= 0 && !isHostLost) _load.RecordCommand(process.Plan.Index, MillisecondsSince(_sentAt), isStopped: !isBeaten, isBeaten);
        if (_job is { } job) _world.Travel(() => _server.Cancel(job));
        // Whoever cancels its command waits for that to arrive before the connection is used again.
        Over(isBroken: isHostLost);
    }

    /// <summary>Its host hangs: another one may do better.</summary>
    public void HostLost()
    {
        if (_isOver) return;
        GiveUp(isHostLost: true);
        operation.Failed(this, _sentAt >= 0);
    }

    /// <summary>Logins are of no use any more.</summary>
    public void LoginsRefused()
    {
        if (_isLoggingIn) HostLost();
    }

    private void Connect()
    {
        var startedAt = process.Clock.GetTimestamp();
        _isLoggingIn = true;
        _load.Logins.Begin();
        // Three messages there and two back before the server begins to look at the password.
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
