using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Npgsql;

namespace ReplicaRouter;

/// <summary>One route's connections to one host: Npgsql's own pools, and what the router counts of them.</summary>
[SuppressMessage("Reliability", "CA1001", Justification = "Disposed of when the host is retired, once connections are drained.")]
internal sealed class HostPool
{
    private readonly HostPools _owner;
    private readonly Func<HostDataSource> _newSource;
    private readonly Action<HostDataSource> _announce;
    private readonly HostLoad _load;
    private readonly HostPool _total;
    private readonly TimeProvider _time;
    private HostDataSource _source;
    private ImmutableArray<HostDataSource> _former = [];

    /// <param name="owner">All pools of the host.</param>
    /// <param name="plan">The route.</param>
    /// <param name="create">Creates one of Npgsql's pools.</param>
    /// <param name="announce">Called with what stands for it before it is used; not with the first one, which stands among <see cref="Sources"/>.</param>
    /// <param name="time">The clock.</param>
    public HostPool(HostPools owner, RoutePlan plan, Func<HostDataSource, NpgsqlDataSource> create, Action<HostDataSource> announce, TimeProvider time)
    {
        (_owner, _load, _announce, _time) = (owner, owner.Load, announce, time);
        Plan = plan;
        // What is counted of a further database outlives its pools.
        _total = plan.Database is null ? this : owner.All[plan.Index];
        Durations = plan.Database is null ? new DurationHistogram() : _total.Durations;
        _newSource = () => new HostDataSource(this, create, time);
        _source = _newSource();
    }

    /// <summary>All pools of the host.</summary>
    public HostPools Owner => _owner;

    public HostConfiguration Host => _owner.Host;
    public RoutePlan Plan { get; }

    /// <summary>What new connections are taken from.</summary>
    public HostDataSource Source => Volatile.Read(ref _source);

    public LoginLedger Logins => Source.Logins;

    /// <summary>Whether Npgsql has callers wait, as all connections that it may have are in use: for a caller, not for the server.</summary>
    public bool IsExhausted => Volatile.Read(ref _pending) > 0;
    private int _pending;

    /// <summary>Idle connections, as Npgsql counted them when it was asked last.</summary>
    public int Idle => Source.Idle;

    /// <summary>Connections in use, as Npgsql counted them when it was asked last; those that were made as the host was configured before are among them.</summary>
    public int Busy => Sources.Sum(source => source.Busy);

    /// <summary>Connections that the pool may have; 0 as long as it was never used.</summary>
    public int Limit => Source.Limit;

    /// <summary>Commands run so far, those of further databases included: their own pools have none.</summary>
    public long Commands => Volatile.Read(ref _commands);
    private long _commands;

    /// <summary>Commands that failed, also those whose work was run again.</summary>
    public long Failed => Volatile.Read(ref _failed);
    private long _failed;

    /// <summary>How long commands took.</summary>
    public DurationHistogram Durations { get; }

    /// <summary>Callers who wait for a connection.</summary>
    public int Waiting => Math.Max(0, Volatile.Read(ref _pending)) + Source.Waiting;

    public void CountFailed() => Interlocked.Increment(ref _total._failed);

    /// <summary>Npgsql's pool, also for callers who open connections by themselves.</summary>
    public NpgsqlDataSource DataSource => Source.Value;

    /// <summary>What connections are taken from now, and what they were taken from before, as long as some may be in use.</summary>
    public IEnumerable<HostDataSource> Sources => _former.Append(Source);

    /// <summary>Takes new connections from another data source, as the host is configured now.</summary>
    /// <returns>The former one, whose connections go on.</returns>
    public HostDataSource Renew()
    {
        var next = _newSource();
        _announce(next);
        var former = Interlocked.Exchange(ref _source, next);
        ImmutableInterlocked.Update(ref _former, (sources, more) => sources.Add(more), former);
        return former;
    }

    /// <summary>Forgets a former data source, whose connections are closed.</summary>
    public void Forget(HostDataSource former) => ImmutableInterlocked.Update(ref _former, sources => sources.Remove(former));

    /// <summary>A connection that is to be opened now.</summary>
    /// <returns>Null if the caller has to wait for one.</returns>
    public ConnectionLease? TryTake()
    {
        var source = Source;
        var admission = source.Throttle.TryEnter();
        return admission == Admission.Wait ? null : source.Lease(admission);
    }

    /// <summary>The same, once one is free.</summary>
    /// <param name="wait">Time for it where all are in use. The turn to log in is part of the login, and has the time of one.</param>
    /// <param name="deadline">Time that the caller has, if there is a limit.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="NpgsqlException">None was within that time, or none would be: then the caller is refused at once.</exception>
    public async ValueTask<ConnectionLease> TakeAsync(TimeSpan wait, TimeSpan? deadline, CancellationToken cancellationToken)
    {
        if (TryTake() is { } lease) return lease;
        var source = Source;
        var limit = LimitOf(source, wait, deadline);
        try
        {
            return source.Lease(await source.Throttle.EnterAsync(limit, cancellationToken).ConfigureAwait(false));
        }
        catch (TimeoutException e)
        {
            throw Exhausted(limit, e);
        }
    }

    /// <inheritdoc cref="TakeAsync" path="/summary | /param[@name='wait'] | /param[@name='deadline'] | /exception"/>
    public ConnectionLease Take(TimeSpan wait, TimeSpan? deadline)
    {
        if (TryTake() is { } lease) return lease;
        var source = Source;
        var limit = LimitOf(source, wait, deadline);
        try
        {
            return source.Lease(source.Throttle.Enter(limit));
        }
        catch (TimeoutException e)
        {
            throw Exhausted(limit, e);
        }
    }

    private static TimeSpan LimitOf(HostDataSource source, TimeSpan wait, TimeSpan? deadline)
    {
        var limit = source.Throttle.IsFull ? wait : TimeSpan.Max(wait, source.LoginTimeout);
        return deadline < limit ? deadline.Value : limit;
    }

    private NpgsqlException Exhausted(TimeSpan waited, TimeoutException cause)
    {
        var what = cause is LineTooLongException
            ? $"{Limit} connections of '{Plan.Name}' to {Host.Endpoint} are all in use, and more callers wait for them than can be served. This one was refused at once."
            : $"of at most {Limit} connections of '{Plan.Name}' to {Host.Endpoint} none was free within {waited.TotalSeconds:0.###} s.";
        return new NpgsqlException($"The connection pool has been exhausted: {what} Return connections sooner, or raise the route's MaxPoolSize.", cause);
    }

    /// <summary>A connection that may be opened now, if one was idle when Npgsql was asked last.</summary>
    public ConnectionLease? TryTakeIdle()
    {
        var source = Source;
        return source.Idle > 0 && source.Throttle.TryEnterIdle() ? source.Lease(Admission.Idle) : null;
    }

    /// <summary>Counts an opening as work for the host, which is about to become a command.</summary>
    public OpeningCount CountOpening()
    {
        _load.BeginOpening();
        return new OpeningCount(_load);
    }

    /// <summary>An opening under way, until it is disposed of.</summary>
    public readonly struct OpeningCount(HostLoad load) : IDisposable
    {
        public void Dispose() => load.EndOpening();
    }

    /// <summary>Counts an opening that is up to the server, as no idle connection was there, until it is over. Ends with it, and never fails.</summary>
    public async Task CountLoginAsync(Task opening)
    {
        // It is over at once, though none seemed to be idle; or Npgsql has it wait for a caller, not for the server.
        if (opening.IsCompleted || IsExhausted) return;
        var startedAt = _time.GetTimestamp();
        _load.Logins.Begin();
        await opening.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _load.Logins.End();
        if (opening.IsCompletedSuccessfully) _owner.Monitor.ReportLetIn(startedAt);
    }

    /// <summary>Drops the idle connections; those in use are dropped when they are returned.</summary>
    public void Clear() => Source.Clear();

    /// <summary>Drops the idle connections, as one of them ended while it was idle.</summary>
    public void DropLike(ConnectionLease ended)
    {
        ended.Source.Clear();
        ended.Source.Throttle.Leave();
        // If its server is gone as well, that is found out now.
        _owner.Monitor.Wake();
    }

    /// <inheritdoc cref="HostLoad.RecordCommand"/>
    public void RecordCommand(double milliseconds, bool isStopped = false, bool isBeaten = false)
    {
        CountCommand();
        _load.RecordCommand(Plan.Index, milliseconds, isStopped, isBeaten);
    }

    /// <inheritdoc cref="HostLoad.RecordFailure"/>
    public void RecordFailure(double milliseconds)
    {
        CountCommand();
        _load.RecordFailure(Plan.Index, milliseconds);
    }

    private void CountCommand()
    {
        Interlocked.Increment(ref _total._commands);
        // Also whoever has kept a data source uses the database.
        Plan.Database?.Use();
    }

    /// <summary>Takes back what a piece of work left counted as under way.</summary>
    public void Uncount(CommandFlow flow)
    {
        // Work that was given up goes on, and ends by itself.
        for (var left = flow.IsGivenUp ? 0 : flow.Uncounting; left > 0; left--) RecordExecuting(-1);
    }

    /// <summary>Counts callers who wait for a connection of the pool to be returned.</summary>
    public void RecordPending(int change) => Interlocked.Add(ref _pending, change);

    public void RecordExecuting(int change)
    {
        if (change > 0) _load.Commands.Begin();
        else _load.Commands.End();
    }
}
