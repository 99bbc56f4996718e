using System.Data;
using Npgsql;

namespace ReplicaRouter.Pools;

/// <summary>Npgsql's pool of one route's connections to one host, and the router's counters for it. Replaced when the host's connection settings change.</summary>
internal sealed class HostDataSource(HostPool pool, DataSourceFactory factory, TimeProvider time) : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private NpgsqlDataSource? _value;
    private LoginThrottle? _throttle;
    private bool _isDisposed;
    private long _types;
    private int _isLoadingTypes;
    private StateChangeEventHandler? _onStateChange;

    public HostPool Pool => pool;

    /// <summary>The host's configuration when this was created.</summary>
    public HostConfiguration Host { get; } = pool.Host;

    /// <summary>The name in Npgsql's metrics and traces. Listeners identify data sources by this string instance.</summary>
    public string Name { get; } = pool.Plan.Database is { } database ? $"{pool.Owner.Name}/{pool.Plan.Name}@{database.Name}" : $"{pool.Owner.Name}/{pool.Plan.Name}";

    public LoginLedger Logins { get; } = new(time);

    public LoginThrottle Throttle
    {
        get
        {
            // Creates the pool first: the application's settings can change the limit.
            _ = Value;
            return _throttle!;
        }
    }

    /// <summary>Callers queued for a connection.</summary>
    public int Waiting => Volatile.Read(ref _throttle)?.Waiting ?? 0;

    /// <summary>Idle connections at Npgsql's last count.</summary>
    public int Idle { get; set; }

    /// <summary>Connections in use, including logins in progress, at Npgsql's last count.</summary>
    public int Busy { get; set; }

    /// <summary>Maximum number of connections; 0 before the first use.</summary>
    public int Limit { get; set; }

    /// <summary>Time limit of a login, including the wait for its turn.</summary>
    public TimeSpan LoginTimeout { get; set; }

    /// <summary>Npgsql's pool, created on first use: most routes never lead to most hosts.</summary>
    public NpgsqlDataSource Value => Volatile.Read(ref _value) ?? Create();

    /// <summary>Counts an open connection until it is closed, and again when its caller reopens it.</summary>
    public StateChangeEventHandler OnStateChange => _onStateChange ??= Count;

    /// <summary>Creates a connection that a caller may open now.</summary>
    public ConnectionLease Lease(Admission admission) => new(Value.CreateConnection(), this, admission == Admission.Login);

    /// <summary>Counts a login until it completes, even if its caller no longer waits. Completes with the login, and never fails.</summary>
    /// <param name="login">The login.</param>
    /// <param name="isExpected">Whether the caller was admitted for a login.</param>
    public async Task CountLoginAsync(Task login, bool isExpected)
    {
        if (!isExpected) Throttle.OnLoginStarted();
        // Not if it completed at once, although no connection seemed idle, or if Npgsql queues the caller because the pool is exhausted.
        var isForServer = !login.IsCompleted && !pool.IsExhausted;
        var (host, startedAt) = (pool.Owner, time.GetTimestamp());
        if (isForServer) host.Load.Logins.Begin();
        var isLong = !await login.EndsWithinAsync(LoginThrottle.LongLogin, time, CancellationToken.None).ConfigureAwait(false);
        if (isLong)
        {
            Throttle.OnSlowLogin();
            await login.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        Throttle.OnLoginEnded(login.IsCompletedSuccessfully, isLong);
        if (!isForServer) return;
        host.Load.Logins.End();
        if (login.IsCompletedSuccessfully) host.Monitor.ReportLetIn(startedAt);
    }

    /// <summary>Closes the idle connections; those in use are closed when they are returned.</summary>
    public void Clear()
    {
        Volatile.Read(ref _throttle)?.OnCleared();
        Volatile.Read(ref _value)?.Clear();
    }

    /// <summary>Reloads the database's types if they have changed since they were loaded. Connections in use see the new ones when they are next opened.</summary>
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
            // The host is lost, or all connections are in use. The next probe triggers another try.
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
            // Npgsql loads the current types at its first login.
            Volatile.Write(ref _types, pool.Owner.Types);
            var value = factory.Create(this);
            _throttle = new LoginThrottle(Limit, time);
            Volatile.Write(ref _value, value);
            return value;
        }
    }

    private void Count(object sender, StateChangeEventArgs change)
    {
        if (change.CurrentState == ConnectionState.Open) Throttle.OnOpenedOutsideRouter();
        if (change.OriginalState != ConnectionState.Open) return;
        if (((NpgsqlConnection)sender).FullState.HasFlag(ConnectionState.Broken))
        {
            CommandListener.NoteFailure();
            Throttle.OnBroken();
            pool.Owner.Monitor.Wake();
        }

        Throttle.Leave();
    }
}
