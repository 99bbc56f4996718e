using System.Globalization;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ReplicaRouter.Pools;

/// <summary>Creates Npgsql's pools: one of a route's to a host takes what the connection string, the route and the application say of it.</summary>
internal sealed class DataSourceFactory(RouterConfiguration configuration, ILoggerFactory loggerFactory)
{
    // In seconds, as Npgsql has them.
    private const int IdleLifetime = 30;
    private const int PruningInterval = 5;
    private const int KeepaliveTime = 30;
    private const int KeepaliveInterval = 5;

    /// <summary>Creates Npgsql's pool, and notes its limits.</summary>
    public NpgsqlDataSource Create(HostDataSource source)
    {
        if (configuration.SingleServer is { } single)
        {
            var given = source.Host.Connection;
            // Where connections are no more than the callers', or several hosts have some each, the limit is the data source's own business.
            NoteLimits(source, given, given is { Pooling: true, Multiplexing: false } && single is not NpgsqlMultiHostDataSource ? given.MaxPoolSize : int.MaxValue);
            return single;
        }

        var plan = source.Pool.Plan;
        var builder = new NpgsqlDataSourceBuilder(source.Host.Connection.ConnectionString) { Name = source.Name };
        builder.UseLoggerFactory(new QuietLoggerFactory(loggerFactory));
        var settings = builder.ConnectionStringBuilder;
        Apply(plan, settings);
        Credentials.Apply(builder, source.Host, configuration.PasswordProvider);
        configuration.ConfigureDataSource?.Invoke(builder);
        if (plan.IsReadOnly) settings.Options = SessionOptions.ReadOnly(settings);
        // By the name that the server shows, connections can be found there again.
        settings.ApplicationName = ApplicationNames.Shown(settings.ApplicationName ?? "");
        NoteLimits(source, settings, settings.MaxPoolSize);
        builder.UsePhysicalConnectionInitializer(
            connection => BeginAsync(source.Logins, connection, async: false).GetAwaiter().GetResult(),
            connection => BeginAsync(source.Logins, connection, async: true));
        return builder.Build();
    }

    private async Task BeginAsync(LoginLedger logins, NpgsqlConnection connection, bool async)
    {
        logins.Begin(connection);
        if (configuration.SessionWindow is null) await logins.OfAsync(connection, async).ConfigureAwait(false);
    }

    private static void NoteLimits(HostDataSource source, NpgsqlConnectionStringBuilder settings, int limit)
    {
        source.Limit = limit;
        source.LoginTimeout = settings.Timeout > 0 ? TimeSpan.FromSeconds(settings.Timeout) : TimeSpan.LongestWait;
    }

    private static void Apply(RoutePlan plan, NpgsqlConnectionStringBuilder settings)
    {
        var pool = plan.Pool;
        settings.ApplicationName = pool.ApplicationName;
        // Commands of many callers on one connection: none could be told from another's, nor moved, nor known to be the first.
        settings.Multiplexing = false;
        settings.MaxPoolSize = pool.MostConnections(settings);
        settings.MinPoolSize = plan.Database is null ? Math.Min(pool.MinPoolSize ?? settings.MinPoolSize, settings.MaxPoolSize) : 0;
        settings.Database = plan.Database?.Name ?? settings.Database;
        settings.Timeout = pool.ConnectTimeout is { } connect ? Seconds(connect) : PoolSettings.Given(settings, "Timeout", settings.Timeout, 5);
        settings.CommandTimeout = pool.CommandTimeout is { } command ? Seconds(command) : PoolSettings.Given(settings, "Command Timeout", settings.CommandTimeout, Seconds(pool.DefaultCommandTimeout));
        KeepIdle(settings);
        // A second server would make an ambient transaction a distributed one, which can't be committed.
        if (plan.IsReadOnly) settings.Enlist = false;
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

    private static int Seconds(TimeSpan span) => Convert.ToInt32(Math.Ceiling(span.TotalSeconds), CultureInfo.InvariantCulture);
}
