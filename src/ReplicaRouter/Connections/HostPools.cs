using System.Collections.Immutable;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ReplicaRouter;

/// <summary>All pools to one host, one a route, because routes differ in pool size, time-outs, application name and rights.</summary>
internal sealed class HostPools
{
    // In seconds, as Npgsql has them.
    private const int IdleLifetime = 30;
    private const int PruningInterval = 5;
    private const int KeepaliveTime = 30;
    private const int KeepaliveInterval = 5;

    private readonly Func<RoutePlan, HostPool> _newPool;
    private readonly Action<HostDataSource> _announce;
    private HostConfiguration _host;
    private ImmutableArray<HostPool> _further = [];

    public HostPools(HostConfiguration host, HostLoad load, RouterConfiguration configuration, Action<HostDataSource> announce, IdleCheck idle, ILoggerFactory loggerFactory, TimeProvider time)
    {
        _host = host;
        Name = configuration.Name is { } router ? $"{router}/{host.Name}" : host.Name;
        Faults = new HostFaults(time);
        Load = load;
        _announce = announce;
        _newPool = plan => new HostPool(this, plan, source => CreateDataSource(source, configuration, idle, loggerFactory), announce, time);
        All = [.. configuration.Routes.Select(_newPool)];
    }

    /// <summary>The host as it is configured now.</summary>
    public HostConfiguration Host
    {
        get => Volatile.Read(ref _host);
        set => Volatile.Write(ref _host, value);
    }

    /// <summary>What the names of its pools in Npgsql's metrics begin with: no two routers of an application share one.</summary>
    public string Name { get; }

    public HostLoad Load { get; }

    /// <summary>How the host is probed.</summary>
    public required RenewableProbe Probe { get; init; }

    /// <summary>Who watches the host.</summary>
    public required HostMonitor Monitor { get; init; }

    /// <summary>The operations that wait for positions to be replayed there.</summary>
    public required ReplayWaiter Replay { get; init; }

    /// <summary>Statements that failed on the host and were answered by another one.</summary>
    public HostFaults Faults { get; }

    /// <summary>Commands run so far.</summary>
    public long Commands => All.Sum(pool => pool.Commands);

    /// <summary>Raised when the host is found to hang, or to be gone.</summary>
    public Alarm Lost { get; } = new();

    /// <summary>Raised when there is no use in waiting for a login any more.</summary>
    public Alarm LoginsRefused { get; } = new();

    /// <summary>Raised when work that may write has to be looked at: another host is the primary in this one's place, or this one was reached by a new login while a connection of before was silent.</summary>
    public Alarm Superseded { get; } = new();

    /// <summary>The pools to the database of the connection string, by route.</summary>
    public ImmutableArray<HostPool> All { get; }

    /// <summary>The pools to all databases.</summary>
    public IEnumerable<HostPool> Everything => _further.Length == 0 ? All : All.Concat(_further);

    /// <summary>Adds a pool to a further database.</summary>
    public HostPool Add(RoutePlan plan)
    {
        var pool = _newPool(plan);
        foreach (var source in pool.Sources) _announce(source);
        ImmutableInterlocked.Update(ref _further, further => further.Add(pool));
        return pool;
    }

    /// <summary>Forgets a pool to a further database.</summary>
    public void Remove(HostPool pool) => ImmutableInterlocked.Update(ref _further, further => further.Remove(pool));

    /// <summary>Connections in use, logins under way among them, as Npgsql counted them when it was asked last.</summary>
    public int InUse => Everything.Sum(pool => pool.Busy);

    /// <summary>What the connections to the host are taken from, and were before.</summary>
    public IEnumerable<HostDataSource> Sources => Everything.SelectMany(pool => pool.Sources);

    /// <summary>Drops what leads to a server that is gone, or that has become something else.</summary>
    public void Clear()
    {
        foreach (var pool in Everything) pool.Clear();
    }

    /// <summary>Has Npgsql load the types again, where it has loaded others than are there now.</summary>
    public void KnowTypes(long types)
    {
        Volatile.Write(ref _types, types);
        // Those of the database that probes ask. Further ones load theirs again when they are used again after a while.
        foreach (var source in All.SelectMany(pool => pool.Sources)) source.KnowTypes(types);
    }

    /// <summary>A number that differs where the database's types do; 0 before they are known.</summary>
    public long Types => Volatile.Read(ref _types);
    private long _types;

    /// <summary>Takes new connections to the host as it is configured now.</summary>
    /// <param name="probe">Probes it likewise.</param>
    /// <returns>What its connections were taken from before.</returns>
    public IReadOnlyList<HostDataSource> Renew(IHostProbe probe)
    {
        Probe.Renew(probe);
        return [.. Everything.Select(pool => pool.Renew())];
    }

    /// <summary>Most connections that a route keeps to a host.</summary>
    public static int MaxPoolSize(RoutePlan plan, NpgsqlConnectionStringBuilder settings) =>
        plan.Pool.MaxPoolSize ?? Given(settings, "Maximum Pool Size", settings.MaxPoolSize, plan.Pool.DefaultMaxPoolSize);

    private static NpgsqlDataSource CreateDataSource(HostDataSource source, RouterConfiguration configuration, IdleCheck idle, ILoggerFactory loggerFactory)
    {
        if (configuration.SingleServer is { } single)
        {
            Describe(source, single);
            return single;
        }

        var builder = new NpgsqlDataSourceBuilder(source.Host.Connection.ConnectionString) { Name = source.Name };
        builder.UseLoggerFactory(new QuietLoggerFactory(loggerFactory));
        Apply(source.Pool.Plan, builder.ConnectionStringBuilder);
        if (source.Pool.Plan.Database is { } database) builder.ConnectionStringBuilder.Database = database.Name;
        if (source.Pool.Plan.Database is not null) builder.ConnectionStringBuilder.MinPoolSize = 0;
        Credentials.Apply(builder, source.Host, configuration.PasswordProvider);
        configuration.ConfigureDataSource?.Invoke(builder);
        if (source.Pool.Plan.IsReadOnly) builder.ConnectionStringBuilder.Options = SessionOptions.ReadOnly(builder.ConnectionStringBuilder);
        // By the name that the server shows, connections can be found there again.
        builder.ConnectionStringBuilder.ApplicationName = ApplicationNames.Shown(builder.ConnectionStringBuilder.ApplicationName ?? "");
        source.Limit = builder.ConnectionStringBuilder.MaxPoolSize;
        source.LoginTimeout = LoginTimeout(builder.ConnectionStringBuilder);
        var isRecorded = configuration.SessionWindow is null;
        builder.UsePhysicalConnectionInitializer(
            connection =>
            {
                idle.Begin(connection);
                if (isRecorded) source.Logins.Record(connection);
            },
            connection =>
            {
                idle.Begin(connection);
                return isRecorded ? source.Logins.RecordAsync(connection) : Task.CompletedTask;
            });
        return builder.Build();
    }

    private static void Describe(HostDataSource source, NpgsqlDataSource single)
    {
        var settings = source.Host.Connection;
        // Where connections are no more than the callers', or several hosts have some each, the limit is the data source's own business.
        source.Limit = settings is { Pooling: true, Multiplexing: false } && single is not NpgsqlMultiHostDataSource ? settings.MaxPoolSize : int.MaxValue;
        source.LoginTimeout = LoginTimeout(settings);
    }

    private static TimeSpan LoginTimeout(NpgsqlConnectionStringBuilder settings) => settings.Timeout > 0 ? TimeSpan.FromSeconds(settings.Timeout) : TimeSpan.LongestWait;

    private static void Apply(RoutePlan plan, NpgsqlConnectionStringBuilder settings)
    {
        var pool = plan.Pool;
        settings.ApplicationName = pool.ApplicationName;
        // Commands of many callers on one connection: none could be told from another's, nor moved, nor known to be the first.
        settings.Multiplexing = false;
        settings.MaxPoolSize = MaxPoolSize(plan, settings);
        settings.MinPoolSize = Math.Min(pool.MinPoolSize ?? settings.MinPoolSize, settings.MaxPoolSize);
        settings.Timeout = pool.ConnectTimeout is { } connect ? Seconds(connect) : Given(settings, "Timeout", settings.Timeout, 5);
        KeepIdle(settings);
        settings.CommandTimeout = pool.CommandTimeout is { } command ? Seconds(command) : Given(settings, "Command Timeout", settings.CommandTimeout, Seconds(pool.DefaultCommandTimeout));
        if (!plan.IsReadOnly) return;
        // A second server would make an ambient transaction a distributed one, which can't be committed.
        settings.Enlist = false;
    }

    /// <summary>
    /// Idle connections are closed soon. Npgsql uses the one that has been idle for longest, so that what a peak has opened would be used in turns, each with cold caches, for as long
    /// as there is traffic; and load balancers commonly forget a connection after 4 minutes (Azure) or 350 s (AWS). Npgsql closes as many as were idle for half of the
    /// time that it is given. By TCP keepalive it is found out that the other end is gone while a command waits for it.
    /// </summary>
    private static void KeepIdle(NpgsqlConnectionStringBuilder settings)
    {
        if (!settings.ShouldSerialize("Connection Idle Lifetime")) settings.ConnectionIdleLifetime = Math.Max(IdleLifetime, settings.ConnectionPruningInterval);
        if (!settings.ShouldSerialize("Connection Pruning Interval")) settings.ConnectionPruningInterval = Math.Min(PruningInterval, settings.ConnectionIdleLifetime);
        if (settings.ShouldSerialize("TCP Keepalive") || settings.ShouldSerialize("TCP Keepalive Time") || settings.ShouldSerialize("TCP Keepalive Interval")) return;
        settings.TcpKeepAliveTime = KeepaliveTime;
        settings.TcpKeepAliveInterval = KeepaliveInterval;
    }

    private static int Given(NpgsqlConnectionStringBuilder settings, string key, int given, int otherwise) =>
        settings.ShouldSerialize(key) ? given : otherwise;

    private static int Seconds(TimeSpan span) => Convert.ToInt32(Math.Ceiling(span.TotalSeconds), CultureInfo.InvariantCulture);
}
