using System.Collections.Immutable;
using System.Data;
using System.Diagnostics.CodeAnalysis;
using Npgsql;

namespace ReplicaRouter;

/// <summary>One route's connections to one host: Npgsql's own pools, and what the router counts of them.</summary>
[SuppressMessage("Reliability", "CA1001", Justification = "Whoever retires the host disposes of its data sources, once they are drained.")]
internal sealed class HostPool
{
    private readonly HostPools _owner;
    private readonly Func<PoolTiers> _newTiers;
    private readonly Action<HostDataSource> _announce;
    private readonly HostLoad _load;
    private readonly HostPool _total;
    private readonly TimeProvider _time;
    private PoolTiers _current;
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
        _newTiers = () =>
        {
            var tiers = new PoolTiers(this, create, announce, time);
            // There may be thousands of further databases: each has one pool of Npgsql's.
            if (plan.Database is not null) tiers.BecomeOne();
            return tiers;
        };
        _current = _newTiers();
    }

    /// <summary>All pools of the host.</summary>
    public HostPools Owner => _owner;

    public HostConfiguration Host => _owner.Host;
    public RoutePlan Plan { get; }

    private PoolTiers Current => Volatile.Read(ref _current);

    public LoginLedger Logins => Current.Logins;

    /// <summary>Whether Npgsql has callers wait, as all connections that it may have are in use: for a caller, not for the server.</summary>
    public bool IsExhausted => Volatile.Read(ref _pending) > 0;
    private int _pending;

    /// <summary>Idle connections, as Npgsql counted them when it was asked last.</summary>
    public int Idle => Current.Sources.Sum(source => source.Idle);

    /// <summary>Connections in use, as Npgsql counted them when it was asked last; those that were made as the host was configured before are among them.</summary>
    public int Busy => Sources.Sum(source => source.Busy);

    /// <summary>Connections that the pool may have; 0 as long as it was never used.</summary>
    public int Limit => Current.First.Limit;

    /// <summary>Commands run so far, those of further databases included: their own pools have none.</summary>
    public long Commands => Volatile.Read(ref _commands);
    private long _commands;

    /// <summary>Commands that failed, also those whose work was run again.</summary>
    public long Failed => Volatile.Read(ref _failed);
    private long _failed;

    /// <summary>How long commands took.</summary>
    public DurationHistogram Durations { get; }

    /// <summary>Callers who wait for a connection.</summary>
    public int Waiting => Math.Max(0, Volatile.Read(ref _pending)) + Current.Waiting;

    public void CountFailed() => Interlocked.Increment(ref _total._failed);

    /// <summary>For callers who open connections by themselves. From then on it is the only one of Npgsql's pools that is used.</summary>
    public NpgsqlDataSource DataSource
    {
        get
        {
            Current.BecomeOne();
            return Current.First.Value;
        }
    }

    /// <summary>The same for a connection that is created now and opened later, if ever.</summary>
    public NpgsqlDataSource SourceOfCreated => Current.First.Value;

    /// <summary>What connections are taken from now, and what they were taken from before, as long as some may be in use.</summary>
    public IEnumerable<HostDataSource> Sources => _former.Concat(Current.Sources);

    /// <summary>Takes new connections from other data sources, as the host is configured now.</summary>
    /// <returns>The former ones, whose connections go on.</returns>
    public IReadOnlyList<HostDataSource> Renew()
    {
        var next = _newTiers();
        _announce(next.First);
        var former = Interlocked.Exchange(ref _current, next);
        former.BecomeOne();
        ImmutableInterlocked.Update(ref _former, (sources, more) => sources.AddRange(more), former.Sources);
        return [.. former.Sources];
    }

    /// <summary>Forgets a former data source, whose connections are closed.</summary>
    public void Forget(HostDataSource former) => ImmutableInterlocked.Update(ref _former, sources => sources.Remove(former));

    /// <summary>Opens no further of Npgsql's pools.</summary>
    public void Retire() => Current.BecomeOne();

    /// <summary>For a connection that its caller opens.</summary>
    public void OnOpenedElsewhere(object sender, StateChangeEventArgs change) => Current.OnOpenedElsewhere(sender, change);

    /// <summary>A connection that is to be opened now.</summary>
    /// <returns>Null if all are in use, or as many log in as may.</returns>
    public TakenConnection? TryTake(KeptConnections? kept)
    {
        var tiers = Current;
        if (tiers.IsOne) return new TakenConnection(tiers.Create(kept), null, IsLogin: false);
        return tiers.Places.TryTake() is { } place ? tiers.Take(place, kept) : null;
    }

    /// <summary>The same, once one is free.</summary>
    /// <param name="wait">Time for it where all are in use. The turn to log in is part of the login, and has the time of one.</param>
    /// <param name="deadline">Time that the caller has, if there is a limit.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="NpgsqlException">None was within that time.</exception>
    public async ValueTask<TakenConnection> TakeAsync(TimeSpan wait, TimeSpan? deadline, CancellationToken cancellationToken)
    {
        if (TryTake(kept: null) is { } taken) return taken;
        var tiers = Current;
        var limit = LimitOf(tiers, wait, deadline);
        try
        {
            return tiers.Take(await tiers.Places.TakeAsync(limit, cancellationToken).ConfigureAwait(false));
        }
        catch (TimeoutException e)
        {
            throw Exhausted(limit, e);
        }
    }

    /// <summary>Waits for an opening to be over, or for another connection to come back sooner.</summary>
    /// <param name="opening">The opening, a login.</param>
    /// <param name="limit">Time for it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The other connection, to be opened now; null when the opening is over.</returns>
    /// <exception cref="TimeoutException">Neither was within the limit.</exception>
    public async ValueTask<TakenConnection?> TakeReturnedAsync(Task opening, TimeSpan limit, CancellationToken cancellationToken)
    {
        var tiers = Current;
        if (tiers.IsOne)
        {
            await opening.WaitAsync(limit, _time, cancellationToken).ConfigureAwait(false);
            return null;
        }

        var turn = tiers.Places.LineUpForReturned();
        var isBack = false;
        try
        {
            isBack = await Task.WhenAny(opening, turn.Task).WaitAsync(limit, _time, cancellationToken).ConfigureAwait(false) == turn.Task;
        }
        finally
        {
            if (!isBack) tiers.Places.GiveUp(turn);
        }

        return isBack ? tiers.Take(await turn.Task.ConfigureAwait(false)) : null;
    }

    /// <inheritdoc cref="TakeAsync" path="/summary | /param[@name='wait'] | /param[@name='deadline'] | /exception"/>
    public TakenConnection Take(TimeSpan wait, TimeSpan? deadline)
    {
        if (TryTake(kept: null) is { } taken) return taken;
        var tiers = Current;
        var limit = LimitOf(tiers, wait, deadline);
        try
        {
            return tiers.Take(tiers.Places.Take(limit));
        }
        catch (TimeoutException e)
        {
            throw Exhausted(limit, e);
        }
    }

    private static TimeSpan LimitOf(PoolTiers tiers, TimeSpan wait, TimeSpan? deadline)
    {
        var limit = tiers.Places.IsFull ? wait : TimeSpan.Max(wait, tiers.First.LoginTimeout);
        return deadline < limit ? deadline.Value : limit;
    }

    private NpgsqlException Exhausted(TimeSpan waited, TimeoutException cause) => new(
        $"The connection pool has been exhausted: of at most {Limit} connections of '{Plan.Name}' to {Host.Endpoint} none was free within {waited.TotalSeconds:0.###} s. "
        + "Return connections sooner, or raise the route's MaxPoolSize.", cause);

    /// <summary>The same, but only if one was idle when Npgsql was asked last.</summary>
    public TakenConnection? TryTakeIdle()
    {
        var tiers = Current;
        if (!tiers.IsOne) return tiers.TakeIdle();
        return tiers.First.Idle > 0 ? new TakenConnection(tiers.Create(kept: null), null, IsLogin: false) : null;
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
    public void Clear() => Current.Clear();

    /// <summary>Gives back the place of a connection that ended while it was idle, and drops those that have been idle for as long or longer.</summary>
    public void DropLike(TakenConnection ended)
    {
        Current.DropLike(ended);
        ended.Tier?.Return();
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
        if (change > 0) _load.BeginCommand();
        else _load.Commands.End();
    }
}
