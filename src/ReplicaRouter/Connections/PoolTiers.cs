using System.Data;
using Npgsql;

namespace ReplicaRouter;

/// <summary>
/// One route's connections to one host, as the host is configured at present: several of Npgsql's pools, one after the other. A connection is taken from
/// the first that has a free place, so that few connections do the work, and the others stay idle until Npgsql closes them.
/// </summary>
/// <remarks>
/// Npgsql gives out the connection that has been idle for longest, whose server process is cold by then (docs/decisions/0013). In a small pool, most of
/// whose connections are in use, that is the one that was used last. Whoever opens connections by himself, past the router, needs one pool with one limit:
/// from then on the first one is the only one.
/// </remarks>
internal sealed class PoolTiers
{
    private readonly HostPool _pool;
    private readonly Func<HostDataSource, NpgsqlDataSource> _create;
    private readonly Action<HostDataSource> _announce;
    private readonly TimeProvider _time;
    private readonly HostDataSource?[] _tiers = new HostDataSource?[Places.MostTiers];
    private readonly Lock _lock = new();
    private Places? _places;
    private volatile bool _isOne;

    /// <param name="pool">The pool that this is of.</param>
    /// <param name="create">Creates one of Npgsql's pools, at its first use.</param>
    /// <param name="announce">Called with each of them but the first before it is used.</param>
    /// <param name="time">The clock.</param>
    public PoolTiers(HostPool pool, Func<HostDataSource, NpgsqlDataSource> create, Action<HostDataSource> announce, TimeProvider time)
    {
        (_pool, _create, _announce, _time) = (pool, create, announce, time);
        Host = pool.Host;
        Logins = new LoginLedger(time);
        OnOpenedElsewhere = (sender, change) =>
        {
            if (change.CurrentState == ConnectionState.Open) BecomeOne();
            WatchBreak(sender, change);
        };
        First = _tiers[0] = New(0);
    }

    /// <summary>The host, as it was configured when this was made.</summary>
    public HostConfiguration Host { get; }

    public LoginLedger Logins { get; }

    /// <summary>The first pool, and the only one once connections are opened past the router.</summary>
    public HostDataSource First { get; }

    public bool IsOne => _isOne;

    /// <summary>All of Npgsql's pools that there are so far.</summary>
    public IEnumerable<HostDataSource> Sources => _tiers.OfType<HostDataSource>();

    /// <summary>For connections that may be opened past the router.</summary>
    public StateChangeEventHandler OnOpenedElsewhere { get; }

    /// <summary>Callers in line for a connection.</summary>
    public int Waiting => Volatile.Read(ref _places)?.Waiting ?? 0;

    /// <summary>The places of all of them together.</summary>
    public Places Places => Volatile.Read(ref _places) ?? CreatePlaces();

    /// <summary>Leaves the first pool alone, with a limit that Npgsql knows.</summary>
    public void BecomeOne()
    {
        if (_isOne) return;
        lock (_lock) _isOne = true;
        Volatile.Read(ref _places)?.Abolish();
        foreach (var source in Sources.Skip(1)) source.Clear();
    }

    /// <summary>A connection of the first pool, which has no place of the router's.</summary>
    public NpgsqlConnection Create(KeptConnections? kept)
    {
        var connection = kept?.Take(First) ?? First.Value.CreateConnection();
        connection.StateChange += OnOpenedElsewhere;
        return connection;
    }

    /// <summary>A connection that has a place.</summary>
    public TakenConnection Take(Place place, KeptConnections? kept = null)
    {
        var source = Volatile.Read(ref _tiers[place.Tier]) ?? TryAdd(place);
        if (source is null || _isOne) return new TakenConnection(Create(kept), null, IsLogin: false);
        return new TakenConnection(kept?.Take(source) ?? source.Value.CreateConnection(), source, place.IsLogin);
    }

    /// <summary>The same, of a pool that had an idle connection when Npgsql was asked last; null if none had.</summary>
    public TakenConnection? TakeIdle()
    {
        for (var tier = 0; tier < _tiers.Length; tier++)
        {
            if (Volatile.Read(ref _tiers[tier]) is { Idle: > 0 } && Places.TryTakeIdle(tier) is { } place) return Take(place);
        }

        return null;
    }

    /// <summary>Counts a login until it is over, whether or not its caller waits for it.</summary>
    /// <param name="login">The login.</param>
    /// <param name="isExpected">Whether it was counted when its place was taken.</param>
    public async Task CountLoginAsync(Task login, bool isExpected)
    {
        if (!isExpected) Places.LoginBegan();
        _ = _pool.CountLoginAsync(login);
        var isLong = !await login.EndsWithinAsync(Places.LongLogin, _time, CancellationToken.None).ConfigureAwait(false);
        if (isLong)
        {
            Places.LoginIsLong();
            await login.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        Places.LoginEnded(login.IsCompletedSuccessfully, isLong);
    }

    /// <summary>Has the monitor look after the host of a connection that broke under its caller.</summary>
    /// <returns>Whether it did.</returns>
    public bool WatchBreak(object sender, StateChangeEventArgs change)
    {
        var isBroken = change.OriginalState == ConnectionState.Open && ((NpgsqlConnection)sender).FullState.HasFlag(ConnectionState.Broken);
        if (!isBroken) return false;
        FailedCommand.Note();
        _pool.Owner.Monitor.Wake();
        return true;
    }

    /// <summary>Drops the idle connections; those in use are dropped when they are returned.</summary>
    public void Clear()
    {
        Volatile.Read(ref _places)?.Forget();
        foreach (var source in Sources) source.Clear();
    }

    /// <summary>Drops the idle connections of the tier of one that ended in quiet, and of those after it, which are used less. Those in use are dropped when they are returned.</summary>
    public void DropLike(TakenConnection ended)
    {
        Volatile.Read(ref _places)?.Broke();
        var isLike = ended.Tier is null;
        foreach (var source in Sources)
        {
            isLike |= source == ended.Tier;
            if (isLike) source.Clear();
        }
    }

    private HostDataSource? TryAdd(Place place)
    {
        lock (_lock)
        {
            if (_tiers[place.Tier] is { } known) return known;
            if (_isOne) return null;
            try
            {
                var added = New(place.Tier);
                _announce(added);
                _ = added.Value;
                Volatile.Write(ref _tiers[place.Tier], added);
                return added;
            }
            catch
            {
                Places.GiveBack(place);
                throw;
            }
        }
    }

    private HostDataSource New(int tier) => new(this, _pool, tier, _create);

    private Places CreatePlaces()
    {
        // What is done to data sources as they are created may change the limit.
        _ = First.Value;
        lock (_lock) return _places ??= new Places(Places.Sizes(First.Limit), _time);
    }
}
