using System.Collections.Immutable;
using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using Npgsql;

namespace ReplicaRouter;

/// <summary>One route's connections to one host: Npgsql's own pool, and what the router counts of it.</summary>
[SuppressMessage("Reliability", "CA1001", Justification = "Whoever retires the host disposes of its data sources, once they are drained.")]
internal sealed class HostPool
{
    private readonly HostPools _owner;
    private readonly Func<HostDataSource, NpgsqlDataSource> _create;
    private readonly StateChangeEventHandler _onStateChange;
    private readonly HostLoad _load;
    private readonly TimeProvider _time;
    private HostDataSource _current;
    private ImmutableArray<HostDataSource> _former = [];

    public HostPool(HostPools owner, RoutePlan plan, Func<HostDataSource, NpgsqlDataSource> create, TimeProvider time)
    {
        (_owner, _load, _create, _time) = (owner, owner.Load, create, time);
        Plan = plan;
        _onStateChange = OnStateChange;
        _current = new HostDataSource(this, owner.Host, create, time);
    }

    /// <summary>All pools of the host.</summary>
    public HostPools Owner => _owner;

    public HostConfiguration Host => _owner.Host;
    public RoutePlan Plan { get; }

    public LoginLedger Logins => Volatile.Read(ref _current).Logins;

    /// <summary>Whether all connections that the pool may have are in use: who wants one waits for a caller, not for the server.</summary>
    public bool IsExhausted => Volatile.Read(ref _pending) > 0;
    private int _pending;

    /// <summary>Idle connections, as Npgsql counted them when it was asked last.</summary>
    public int Idle => Volatile.Read(ref _current).Idle;

    /// <summary>Connections in use, as Npgsql counted them when it was asked last; those that were made as the host was configured before are among them.</summary>
    public int Busy => Volatile.Read(ref _current).Busy + _former.Sum(source => source.Busy);

    /// <summary>Connections that the pool may have; 0 as long as it was never used.</summary>
    public int Limit => Volatile.Read(ref _current).Limit;

    /// <summary>Commands run so far.</summary>
    public long Commands => Volatile.Read(ref _commands);
    private long _commands;

    public NpgsqlDataSource DataSource => Volatile.Read(ref _current).Value;

    /// <summary>What connections are taken from now, and what they were taken from before, as long as some may be in use.</summary>
    public IEnumerable<HostDataSource> Sources => _former.Append(Volatile.Read(ref _current));

    /// <summary>Takes new connections from another data source, as the host is configured now.</summary>
    /// <param name="announce">Called with the new one before it is used.</param>
    /// <returns>The former one, whose connections go on.</returns>
    public HostDataSource Renew(Action<HostDataSource> announce)
    {
        var (former, next) = (_current, new HostDataSource(this, Host, _create, _time));
        announce(next);
        ImmutableInterlocked.Update(ref _former, sources => sources.Add(former));
        Volatile.Write(ref _current, next);
        return former;
    }

    /// <summary>Forgets a former data source, whose connections are closed.</summary>
    public void Forget(HostDataSource former) => ImmutableInterlocked.Update(ref _former, sources => sources.Remove(former));

    /// <summary>A connection that tells when it breaks under its caller.</summary>
    public NpgsqlConnection CreateConnection()
    {
        var connection = DataSource.CreateConnection();
        connection.StateChange += _onStateChange;
        return connection;
    }

    /// <summary>Counts an opening as work for the host, which is about to become a command.</summary>
    public OpeningCount CountOpening()
    {
        _load.BeginOpening();
        return new OpeningCount(_load);
    }

    /// <summary>An opening under way, until it is disposed of.</summary>
    public struct OpeningCount(HostLoad load) : IDisposable
    {
        private bool _isLogin;

        /// <summary>No idle connection was there: now it is up to the server.</summary>
        public void BecomesLogin()
        {
            _isLogin = true;
            load.Logins.Begin();
        }

        public readonly void Dispose()
        {
            load.EndOpening();
            if (_isLogin) load.Logins.End();
        }
    }

    /// <summary>Drops the idle connections; those in use are dropped when they are returned.</summary>
    public void Clear() => Volatile.Read(ref _current).Clear();

    /// <inheritdoc cref="HostLoad.RecordCommand"/>
    public void RecordCommand(double milliseconds, bool isStopped)
    {
        Interlocked.Increment(ref _commands);
        _load.RecordCommand(Plan.Index, milliseconds, isStopped);
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

    private void OnStateChange(object sender, StateChangeEventArgs change)
    {
        if (change.OriginalState == ConnectionState.Open && ((NpgsqlConnection)sender).FullState.HasFlag(ConnectionState.Broken)) _owner.Monitor.Wake();
    }
}
