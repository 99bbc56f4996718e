using System.Globalization;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ReplicaRouter.Pools;

/// <summary>Creates Npgsql's pools. Each combines the settings of the connection string, the route and the application.</summary>
internal sealed class DataSourceFactory(RouterConfiguration configuration, ILoggerFactory loggerFactory)
{
    // In seconds, as Npgsql's settings.
    private const int IdleLifetime = 30;
    private const int PruningInterval = 5;
    private const int KeepaliveTime = 30;
    private const int KeepaliveInterval = 5;

    /// <summary>Creates Npgsql's pool, and sets its limits on <paramref name="source"/>.</summary>
    public NpgsqlDataSource Create(HostDataSource source)
    {
        if (configuration.SingleServer is { } single)
        {
            var given = source.Host.Connection;
            // Without pooling, with multiplexing, or with a pool for each of several hosts, the limit is up to the data source.
            NoteLimits(source, given, given is { Pooling: true, Multiplexing: false } && single is not NpgsqlMultiHostDataSource ? given.MaxPoolSize : int.MaxValue);
            return single;
        }

        var plan = source.Pool.Plan;
        var builder = new NpgsqlDataSourceBuilder(source.Host.Connection.ConnectionString) { Name = source.Name };
        builder.UseLoggerFactory(new QuietLoggerFactory(loggerFactory));
        var settings = builder.ConnectionStringBuilder;
        Apply(plan, settings);
        Credentials.Apply(builder, source.Host, configuration.Login.PasswordProvider);
        configuration.Login.Configure?.Invoke(builder);
        if (plan.IsReadOnly) settings.Options = SessionOptions.ReadOnly(settings);
        // Set to the name as the server shows it, so that connections can be found by it.
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
        // With multiplexing, commands of several callers share a connection: they can't be told apart, moved, or recognized as the first.
        settings.Multiplexing = false;
        settings.MaxPoolSize = pool.MostConnections(settings);
        settings.MinPoolSize = plan.Database is null ? Math.Min(pool.MinPoolSize ?? settings.MinPoolSize, settings.MaxPoolSize) : 0;
        settings.Database = plan.Database?.Name ?? settings.Database;
        settings.Timeout = pool.ConnectTimeout is { } connect ? Seconds(connect) : PoolSettings.Given(settings, "Timeout", settings.Timeout, 5);
        settings.CommandTimeout = pool.CommandTimeout is { } command ? Seconds(command) : PoolSettings.Given(settings, "Command Timeout", settings.CommandTimeout, Seconds(pool.DefaultCommandTimeout));
        KeepIdle(settings);
        // A second server would turn an ambient transaction into a distributed one, which can't be committed.
        if (plan.IsReadOnly) settings.Enlist = false;
    }

    /// <summary>
    /// Closes idle connections soon. Npgsql picks the connection that has been idle longest, so all connections that a peak opened would be used in turn, each with cold caches,
    /// as long as there is traffic. Also, load balancers commonly drop a connection after 4 minutes (Azure) or 350 s (AWS). Npgsql prunes as many connections as were idle for half
    /// of the idle lifetime. TCP keepalive detects a dead peer while a command waits for it.
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
