using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Npgsql;

namespace ReplicaRouter.Pools;

/// <summary>One route's connections to one host: Npgsql's own pools, and what the router counts of them.</summary>
[SuppressMessage("Reliability", "CA1001", Justification = "Disposed of when the host is retired, once connections are drained.")]
internal sealed class HostPool
{
    private readonly HostPool _total;
    private HostDataSource _source;
    private ImmutableArray<HostDataSource> _former = [];

    public HostPool(HostPools owner, RoutePlan plan)
    {
        (Owner, Plan) = (owner, plan);
        // What is counted of a further database outlives its pools.
        _total = plan.Database is null ? this : owner.All[plan.Index];
        Durations = plan.Database is null ? new DurationHistogram() : _total.Durations;
        _source = owner.NewSource(this);
    }

    /// <summary>All pools of the host.</summary>
    public HostPools Owner { get; }

    public HostConfiguration Host => Owner.Host;
    public RoutePlan Plan { get; }

    /// <summary>What new connections are taken from.</summary>
    public HostDataSource Source => Volatile.Read(ref _source);

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
        var former = Interlocked.Exchange(ref _source, Owner.NewSource(this));
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
    /// <param name="async">Whether to wait without holding up the thread. Else all is done when this returns.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="NpgsqlException">None was within that time, or none would be: then the caller is refused at once.</exception>
    public async ValueTask<ConnectionLease> TakeAsync(TimeSpan wait, TimeSpan? deadline, bool async, CancellationToken cancellationToken)
    {
        if (TryTake() is { } lease) return lease;
        var source = Source;
        var limit = source.Throttle.IsFull ? wait : TimeSpan.Max(wait, source.LoginTimeout);
        if (deadline < limit) limit = deadline.Value;
        try
        {
            return source.Lease(await source.Throttle.EnterAsync(limit, async, cancellationToken).ConfigureAwait(false));
        }
        catch (TimeoutException e)
        {
            throw Exhausted(limit, e);
        }
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

    /// <summary>Drops the idle connections; those in use are dropped when they are returned.</summary>
    public void Clear() => Source.Clear();

    /// <inheritdoc cref="HostLoad.RecordCommand"/>
    public void RecordCommand(double milliseconds, bool isStopped, bool isBeaten)
    {
        CountCommand();
        Owner.Load.RecordCommand(Plan.Index, milliseconds, isStopped, isBeaten);
    }

    /// <inheritdoc cref="HostLoad.RecordFailure"/>
    public void RecordFailure(double milliseconds)
    {
        CountCommand();
        Owner.Load.RecordFailure(Plan.Index, milliseconds);
    }

    private void CountCommand()
    {
        Interlocked.Increment(ref _total._commands);
        // Also whoever has kept a data source uses the database.
        (Plan.Database as DatabasePools)?.Use();
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
        if (change > 0) Owner.Load.Commands.Begin();
        else Owner.Load.Commands.End();
    }
}
