using System.Data;
using Npgsql;

namespace ReplicaRouter.Pools;

/// <summary>Npgsql's pool of one route's connections to one host, and what the router counts of them. When the host is connected to in another way, another one takes its place.</summary>
internal sealed class HostDataSource : IAsyncDisposable
{
    private readonly DataSourceFactory _factory;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private NpgsqlDataSource? _value;
    private LoginThrottle? _throttle;
    private bool _isDisposed;
    private long _types;
    private int _isLoadingTypes;

    public HostDataSource(HostPool pool, DataSourceFactory factory, TimeProvider time)
    {
        (Pool, Host, _factory, _time) = (pool, pool.Host, factory, time);
        Logins = new LoginLedger(time);
        Name = pool.Plan.Database is { } database ? $"{pool.Owner.Name}/{pool.Plan.Name}@{database.Name}" : $"{pool.Owner.Name}/{pool.Plan.Name}";
        OnStateChange = (sender, change) => Count((NpgsqlConnection)sender, change);
    }

    public HostPool Pool { get; }

    /// <summary>The host, as it was configured when this was made.</summary>
    public HostConfiguration Host { get; }

    /// <summary>The name in Npgsql's metrics and traces. Listeners tell data sources apart by this very object.</summary>
    public string Name { get; }

    public LoginLedger Logins { get; }

    /// <summary>Rations its logins.</summary>
    public LoginThrottle Throttle
    {
        get
        {
            // The application's settings, which apply as the pool is created, may change the limit.
            _ = Value;
            return _throttle!;
        }
    }

    /// <summary>Callers in line for a connection.</summary>
    public int Waiting => Volatile.Read(ref _throttle)?.Waiting ?? 0;

    /// <summary>Idle connections, as Npgsql counted them when it was asked last.</summary>
    public int Idle { get; set; }

    /// <summary>Connections in use, logins under way among them, as Npgsql counted them when it was asked last.</summary>
    public int Busy { get; set; }

    /// <summary>Connections that it may have; 0 as long as it was never used.</summary>
    public int Limit { get; set; }

    /// <summary>Time for a login, its turn included where others log in.</summary>
    public TimeSpan LoginTimeout { get; set; }

    /// <summary>Created at the first use: most routes never lead to most hosts.</summary>
    public NpgsqlDataSource Value => Volatile.Read(ref _value) ?? Create();

    /// <summary>Counts an open connection until it is closed, and again when its caller opens it again.</summary>
    public StateChangeEventHandler OnStateChange { get; }

    /// <summary>A connection that a caller may open now.</summary>
    public ConnectionLease Lease(Admission admission) => new(Value.CreateConnection(), this, admission == Admission.Login);

    /// <summary>Counts a login until it is over, whether or not its caller waits for it. Ends with it, and never fails.</summary>
    /// <param name="login">The login.</param>
    /// <param name="isExpected">Whether its caller was admitted to log in.</param>
    public async Task CountLoginAsync(Task login, bool isExpected)
    {
        if (!isExpected) Throttle.OnLoginStarted();
        // It is over at once, though no connection seemed to be idle; or Npgsql has it wait for a caller, not for the server.
        var isForServer = !login.IsCompleted && !Pool.IsExhausted;
        var (host, startedAt) = (Pool.Owner, _time.GetTimestamp());
        if (isForServer) host.Load.Logins.Begin();
        var isLong = !await login.EndsWithinAsync(LoginThrottle.LongLogin, _time, CancellationToken.None).ConfigureAwait(false);
        if (isLong)
        {
            Throttle.OnLoginIsLong();
            await login.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        Throttle.OnLoginEnded(login.IsCompletedSuccessfully, isLong);
        if (!isForServer) return;
        host.Load.Logins.End();
        if (login.IsCompletedSuccessfully) host.Monitor.ReportLetIn(startedAt);
    }

    /// <summary>Drops the idle connections; those in use are dropped when they are returned.</summary>
    public void Clear()
    {
        Volatile.Read(ref _throttle)?.OnCleared();
        Volatile.Read(ref _value)?.Clear();
    }

    /// <summary>Loads the types again, where others were there when they were loaded. Connections that are in use know them once they are opened again.</summary>
    public void KnowTypes(long types)
    {
        if (Volatile.Read(ref _value) is not { } value || Volatile.Read(ref _types) == types || Interlocked.Exchange(ref _isLoadingTypes, 1) != 0) return;
        _ = LoadTypesAsync(value, types);
    }

    private async Task LoadTypesAsync(NpgsqlDataSource value, long types)
    {
        try
        {
            await value.ReloadTypesAsync().ConfigureAwait(false);
            Volatile.Write(ref _types, types);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or ObjectDisposedException)
        {
            // The host is lost, or all connections are in use: the next probe has it tried again.
        }
        finally
        {
            Volatile.Write(ref _isLoadingTypes, 0);
        }
    }

    public async ValueTask DisposeAsync()
    {
        NpgsqlDataSource? value;
        lock (_lock)
        {
            _isDisposed = true;
            value = _value;
        }

        if (value is not null) await value.DisposeAsync().ConfigureAwait(false);
    }

    private NpgsqlDataSource Create()
    {
        lock (_lock)
        {
            DisposedRouter.ThrowIf(_isDisposed);
            if (_value is not null) return _value;
            // It loads those that are there at its first login.
            Volatile.Write(ref _types, Pool.Owner.Types);
            var value = _factory.Create(this);
            _throttle = new LoginThrottle(Limit, _time);
            Volatile.Write(ref _value, value);
            return value;
        }
    }

    private void Count(NpgsqlConnection connection, StateChangeEventArgs change)
    {
        if (change.CurrentState == ConnectionState.Open) Throttle.OnOpenedElsewhere();
        if (change.OriginalState != ConnectionState.Open) return;
        if (connection.FullState.HasFlag(ConnectionState.Broken))
        {
            FailedCommand.Note();
            Throttle.OnBroken();
            Pool.Owner.Monitor.Wake();
        }

        Throttle.Leave();
    }
}
