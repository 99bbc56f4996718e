using System.Data;
using System.Data.Common;
using Npgsql;

namespace ReplicaRouter;

/// <summary>One route's connections to one host: Npgsql's own pool, and what the router counts of it.</summary>
internal sealed class HostPool
{
    private readonly Func<HostPool, NpgsqlDataSource> _create;
    private readonly StateChangeEventHandler _onStateChange;
    private readonly HostLoad _load;
    private readonly Action _broke;
    private readonly Lock _lock = new();
    private NpgsqlDataSource? _dataSource;
    private bool _isDisposed;

    public HostPool(HostConfiguration host, RoutePlan plan, HostLoad load, LoginLedger logins, Action broke, Func<HostPool, NpgsqlDataSource> create)
    {
        Host = host;
        Plan = plan;
        Name = $"{host.Name}/{plan.Name}";
        _load = load;
        Logins = logins;
        _broke = broke;
        _create = create;
        _onStateChange = OnStateChange;
    }

    public HostConfiguration Host { get; }
    public RoutePlan Plan { get; }

    /// <summary>The name of the data source in Npgsql's metrics and traces.</summary>
    public string Name { get; }

    public LoginLedger Logins { get; }

    /// <summary>Whether all connections that the pool may have are in use: who wants one waits for a caller, not for the server.</summary>
    public bool IsExhausted => Volatile.Read(ref _pending) > 0;
    private int _pending;

    /// <summary>Idle connections, as Npgsql counted them when it was asked last.</summary>
    public int Idle { get; set; }

    /// <summary>Connections in use, as Npgsql counted them when it was asked last.</summary>
    public int Busy { get; set; }

    /// <summary>Connections that the pool may have; 0 as long as it was never used.</summary>
    public int Limit { get; set; }

    /// <summary>Commands run so far.</summary>
    public long Commands => Volatile.Read(ref _commands);
    private long _commands;

    /// <summary>Created at the first use: most routes never lead to most hosts.</summary>
    public NpgsqlDataSource DataSource => Volatile.Read(ref _dataSource) ?? Create();

    private NpgsqlDataSource Create()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, typeof(DatabaseRouter));
            return _dataSource ??= _create(this);
        }
    }

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
        _load.AddOpening(1);
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
            load.AddOpening(-1);
            if (_isLogin) load.Logins.End();
        }
    }

    /// <summary>Drops the idle connections; those in use are dropped when they are returned.</summary>
    public void Clear() => Volatile.Read(ref _dataSource)?.Clear();

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
        if (change > 0) _load.Commands.Begin();
        else _load.Commands.End();
    }

    public async ValueTask DisposeAsync()
    {
        NpgsqlDataSource? dataSource;
        lock (_lock)
        {
            _isDisposed = true;
            dataSource = _dataSource;
        }

        if (dataSource is not null) await dataSource.DisposeAsync().ConfigureAwait(false);
    }

    private void OnStateChange(object sender, StateChangeEventArgs change)
    {
        if (change.OriginalState == ConnectionState.Open && ((NpgsqlConnection)sender).FullState.HasFlag(ConnectionState.Broken)) _broke();
    }
}
