using System.Data;
using Npgsql;

namespace ReplicaRouter;

/// <summary>One of Npgsql's pools, with what is counted of it. When its host is connected to in another way, another one takes its place.</summary>
internal sealed class HostDataSource : IAsyncDisposable
{
    private readonly PoolTiers _tiers;
    private readonly int _tier;
    private readonly Func<HostDataSource, NpgsqlDataSource> _create;
    private readonly StateChangeEventHandler _onTakenChanged;
    private readonly Lock _lock = new();
    private NpgsqlDataSource? _value;
    private bool _isDisposed;
    private long _types;
    private int _isLoadingTypes;

    /// <param name="tiers">What it is one of.</param>
    /// <param name="pool">What it is counted by.</param>
    /// <param name="tier">Which of them it is, from 0.</param>
    /// <param name="create">Creates Npgsql's pool, at its first use.</param>
    public HostDataSource(PoolTiers tiers, HostPool pool, int tier, Func<HostDataSource, NpgsqlDataSource> create)
    {
        (_tiers, _tier, _create, Pool) = (tiers, tier, create, pool);
        _onTakenChanged = OnTakenChanged;
        var name = pool.Plan.Database is { } database ? $"{pool.Owner.Name}/{pool.Plan.Name}@{database.Name}" : $"{pool.Owner.Name}/{pool.Plan.Name}";
        Name = tier == 0 ? name : $"{name}/{tier + 1}";
    }

    public HostPool Pool { get; }

    /// <inheritdoc cref="PoolTiers.Host"/>
    public HostConfiguration Host => _tiers.Host;

    /// <summary>Whether it is the first one, and keeps the least connections that are to be kept.</summary>
    public bool IsFirst => _tier == 0;

    /// <summary>The name in Npgsql's metrics and traces, by whose very object they are told apart.</summary>
    public string Name { get; }

    public LoginLedger Logins => _tiers.Logins;

    /// <summary>Idle connections, as Npgsql counted them when it was asked last.</summary>
    public int Idle { get; set; }

    /// <summary>Connections in use, logins under way among them, as Npgsql counted them when it was asked last.</summary>
    public int Busy { get; set; }

    /// <summary>Connections that all tiers together may have; 0 as long as it was never used.</summary>
    public int Limit { get; set; }

    /// <summary>Time for a login, its turn included where others log in.</summary>
    public TimeSpan LoginTimeout { get; set; }

    /// <summary>Created at the first use: most routes never lead to most hosts.</summary>
    public NpgsqlDataSource Value => Volatile.Read(ref _value) ?? Create();

    /// <summary>Has an open connection, which has a place, give it back when it is closed.</summary>
    public void Follow(NpgsqlConnection connection) => connection.StateChange += _onTakenChanged;

    /// <summary>Forgets a closed connection, which will be taken again.</summary>
    public void Unfollow(NpgsqlConnection connection)
    {
        connection.StateChange -= _onTakenChanged;
        connection.StateChange -= _tiers.OnOpenedElsewhere;
    }

    /// <inheritdoc cref="PoolTiers.CountLoginAsync"/>
    public Task CountLoginAsync(Task login, bool isExpected) => _tiers.CountLoginAsync(login, isExpected);

    /// <summary>Gives back a place.</summary>
    public void Return() => _tiers.Places.Return(_tier);

    /// <summary>Drops the idle connections; those in use are dropped when they are returned.</summary>
    public void Clear() => Volatile.Read(ref _value)?.Clear();

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
            ObjectDisposedException.ThrowIf(_isDisposed, typeof(DatabaseRouter));
            if (_value is not null) return _value;
            // It loads those that are there at its first login.
            Volatile.Write(ref _types, Pool.Owner.Types);
            return _value = _create(this);
        }
    }

    private void OnTakenChanged(object sender, StateChangeEventArgs change)
    {
        // Its caller has kept it, closed, and opens it again: the place was given back.
        if (change.CurrentState == ConnectionState.Open) _tiers.BecomeOne();
        if (change.OriginalState != ConnectionState.Open) return;
        if (_tiers.WatchBreak(sender, change)) _tiers.Places.Broke();
        Return();
    }
}
