using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Npgsql;

namespace ReplicaRouter.Pools;

/// <summary>One route's connections to one host: Npgsql's pools, and the router's counters for them.</summary>
[SuppressMessage("Reliability", "CA1001", Justification = "Disposed of when the host is retired, after its connections have drained.")]
internal sealed class HostPool
{
    private readonly HostPool _total;
    private HostDataSource _source;
    private ImmutableArray<HostDataSource> _former = [];

    public HostPool(HostPools owner, RoutePlan plan)
    {
        (Owner, Plan) = (owner, plan);
        // The counters of an additional database outlive its pools.
        _total = plan.Database is null ? this : owner.All[plan.Index];
        Durations = plan.Database is null ? new DurationHistogram() : _total.Durations;
        _source = owner.NewSource(this);
    }

    public HostPools Owner { get; }
    public HostConfiguration Host => Owner.Host;
    public RoutePlan Plan { get; }

    /// <summary>The source of new connections.</summary>
    public HostDataSource Source => Volatile.Read(ref _source);

    /// <summary>Whether callers are queued in Npgsql because the pool is exhausted.</summary>
    public bool IsExhausted => Volatile.Read(ref _pending) > 0;
    private int _pending;

    /// <summary>Connections in use at Npgsql's last count, including those created with former settings of the host.</summary>
    public int Busy => Sources.Sum(source => source.Busy);

    /// <summary>Commands run so far, including those on additional databases, whose own pools count none.</summary>
    public long Commands => Volatile.Read(ref _commands);
    private long _commands;

    /// <summary>Commands that failed, including those whose work was retried.</summary>
    public long Failed => Volatile.Read(ref _failed);
    private long _failed;

    public DurationHistogram Durations { get; }

    /// <summary>Callers waiting for a connection.</summary>
    public int Waiting => Math.Max(0, Volatile.Read(ref _pending)) + Source.Waiting;

    public void CountFailed() => Interlocked.Increment(ref _total._failed);

    /// <summary>The current data source, and former ones that can have connections in use.</summary>
    public IEnumerable<HostDataSource> Sources => _former.Append(Source);

    /// <summary>Replaces the data source with one for the host's current configuration.</summary>
    /// <returns>The former one, whose connections stay in use.</returns>
    public HostDataSource Renew()
    {
        var former = Interlocked.Exchange(ref _source, Owner.NewSource(this));
        ImmutableInterlocked.Update(ref _former, (sources, more) => sources.Add(more), former);
        return former;
    }

    /// <summary>Removes a former data source, whose connections are closed.</summary>
    public void Forget(HostDataSource former) => ImmutableInterlocked.Update(ref _former, sources => sources.Remove(former));

    /// <summary>Takes a connection that the caller may open now.</summary>
    /// <returns>Null if the caller must wait for one.</returns>
    public ConnectionLease? TryTake()
    {
        var source = Source;
        var admission = source.Throttle.TryEnter();
        return admission == Admission.Wait ? null : source.Lease(admission);
    }

    /// <summary>Takes a connection, after a wait if necessary.</summary>
    /// <param name="wait">Longest wait if all connections are in use. The wait for a turn to log in is part of the login, and is limited by the login's time-out.</param>
    /// <param name="deadline">Time left until the caller's deadline; null if there is none.</param>
    /// <param name="async">Whether to wait asynchronously. Otherwise all is done when this returns.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="NpgsqlException">No connection became available in time, or the queue is too long: then the caller is refused at once.</exception>
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
        var limit = Source.Limit;
        var what = cause is QueueFullException
            ? $"all {limit} connections of '{Plan.Name}' to {Host.Endpoint} are in use, and more callers are queued than can be served. This one was refused at once."
            : $"none of the at most {limit} connections of '{Plan.Name}' to {Host.Endpoint} became available within {waited.TotalSeconds:0.###} s.";
        return new NpgsqlException($"The connection pool has been exhausted: {what} Return connections sooner, or raise the route's MaxPoolSize.", cause);
    }

    /// <summary>Takes a connection, if one was idle at Npgsql's last count.</summary>
    public ConnectionLease? TryTakeIdle()
    {
        var source = Source;
        return source.Idle > 0 && source.Throttle.TryEnterIdle() ? source.Lease(Admission.Idle) : null;
    }

    public void CountCommand()
    {
        Interlocked.Increment(ref _total._commands);
        // Commands of callers that kept a data source count as use of the database, too.
        (Plan.Database as DatabasePools)?.Use();
    }

    /// <summary>Corrects the count of commands in flight for work whose commands Npgsql never counted as ended.</summary>
    public void Uncount(CommandFlow flow)
    {
        // Abandoned work continues, and its commands end later.
        for (var left = flow.IsGivenUp ? 0 : flow.Uncounting; left > 0; left--) Owner.Load.Commands.End();
    }

    /// <summary>Counts callers that wait for a connection to be returned.</summary>
    public void RecordPending(int change) => Interlocked.Add(ref _pending, change);
}
