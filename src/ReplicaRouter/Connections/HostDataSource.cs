using Npgsql;

namespace ReplicaRouter;

/// <summary>One of Npgsql's pools, with what is counted of it. When its host is connected to in another way, another one takes its place.</summary>
internal sealed class HostDataSource(HostPool pool, HostConfiguration host, Func<HostDataSource, NpgsqlDataSource> create, TimeProvider time) : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private NpgsqlDataSource? _value;
    private bool _isDisposed;

    public HostPool Pool => pool;

    /// <summary>The host, as it was configured when this was made.</summary>
    public HostConfiguration Host => host;

    /// <summary>The name in Npgsql's metrics and traces, by whose very object they are told apart.</summary>
    public string Name { get; } = $"{host.Name}/{pool.Plan.Name}";

    public LoginLedger Logins { get; } = new(time);

    /// <summary>Idle connections, as Npgsql counted them when it was asked last.</summary>
    public int Idle { get; set; }

    /// <summary>Connections in use, logins under way among them, as Npgsql counted them when it was asked last.</summary>
    public int Busy { get; set; }

    /// <summary>Connections that it may have; 0 as long as it was never used.</summary>
    public int Limit { get; set; }

    /// <summary>Created at the first use: most routes never lead to most hosts.</summary>
    public NpgsqlDataSource Value => Volatile.Read(ref _value) ?? Create();

    /// <summary>Drops the idle connections; those in use are dropped when they are returned.</summary>
    public void Clear() => Volatile.Read(ref _value)?.Clear();

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
            ObjectDisposedException.ThrowIf(_isDisposed, typeof(DatabaseRouter));
            return _value ??= create(this);
        }
    }
}
