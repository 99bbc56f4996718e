using Dapper;
using Npgsql;
using ReplicaRouter.Checks;
using ReplicaRouter.Testing;

namespace ReplicaRouter.ClusterTests.Idle;

/// <summary>A primary and five replicas, each behind a proxy that ends idle connections.</summary>
public sealed class IdleCluster : IAsyncLifetime
{
    /// <summary>The idle time after which connections end in these tests.</summary>
    public static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(250);

    /// <summary>The same when the server ends them. It is longer, so that a connection survives until its caller's first command on a busy machine.</summary>
    private static readonly TimeSpan s_sessionTimeout = TimeSpan.FromMilliseconds(750);

    private readonly Dictionary<string, FaultProxy> _proxies = [];

    public LocalCluster Cluster { get; private set; } = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Cluster = await LocalCluster.StartAsync(new LocalClusterOptions { Replicas = [.. Enumerable.Range(3, 5).Select(i => new LocalReplicaOptions { Name = $"replica-{i}" })] }, Ct);
        await Cluster.GrantMonitorAsync();
        await using var connection = new NpgsqlConnection(Cluster.Primary.ConnectionString);
        await connection.ExecuteAsync(IdleDb.Schema);
        await Cluster.WaitForReplicationAsync(Ct);
        foreach (var server in Cluster.Servers) _proxies[server.Name] = FaultProxy.Start("127.0.0.1", server.Port);
        // Run each operation once: first runs are slow, even between an opening and its command. One at a time, as waiting for EF Core's model would starve the thread pool.
        await using var router = await RouterAsync(replicas: 1, IdleEnd.Rst);
        var operations = new IdleOperations(router);
        foreach (var operation in operations.All.Values) await operation();
        await operations.BurstAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var proxy in _proxies.Values) await proxy.DisposeAsync();
        await Cluster.DisposeAsync();
    }

    /// <summary>Returns a router over the primary and some replicas that has found all of them healthy.</summary>
    public async Task<DatabaseRouter> RouterAsync(int replicas, IdleEnd end, Action<DatabaseRouterOptions>? configure = null)
    {
        var options = Cluster.Options(["primary", .. Enumerable.Range(3, replicas).Select(i => $"replica-{i}")]);
        foreach (var (name, host) in options.Hosts)
        {
            var settings = new NpgsqlConnectionStringBuilder(ConnectionStringParser.Parse(host.ConnectionString)[0].ConnectionString) { Port = _proxies[name].Port };
            if (end == IdleEnd.Server) settings.Options = $"-c idle_session_timeout={s_sessionTimeout.TotalMilliseconds:0}";
            host.ConnectionString = settings.ConnectionString;
        }

        if (end == IdleEnd.Silence) options.AskIdleAfter = Quiet / 2;
        configure?.Invoke(options);
        var router = DatabaseRouter.Create(options);
        await Eventually.Async(() => router.GetHealthStatus().Values.All(host => host.IsHealthy), TimeSpan.FromSeconds(10), "all healthy");
        return router;
    }

    /// <summary>Leaves connections idle, and then ends the idle ones.</summary>
    public async Task BeQuietAsync(IdleEnd end)
    {
        await Task.Delay(end == IdleEnd.Server ? s_sessionTimeout + TimeSpan.FromMilliseconds(200) : Quiet, Ct);
        foreach (var proxy in _proxies.Values)
        {
            if (end == IdleEnd.Fin) proxy.FinishIdle(Quiet);
            if (end == IdleEnd.Rst) proxy.ResetIdle(Quiet);
            if (end == IdleEnd.Silence) proxy.ForgetIdle(Quiet);
        }

        // The end of a connection can't be noticed while it is still on its way.
        await Task.Delay(Quiet / 5, Ct);
    }

    /// <summary>Returns the longest of ten login times.</summary>
    public async Task<TimeSpan> LoginTimeAsync()
    {
        var longest = TimeSpan.Zero;
        for (var i = 0; i < 10; i++)
        {
            var startedAt = TimeProvider.System.GetTimestamp();
            await using var connection = new NpgsqlConnection(Cluster.Primary.ConnectionString + ";Pooling=false");
            await connection.OpenAsync(Ct);
            longest = TimeProvider.System.GetElapsedTime(startedAt) is var took && took > longest ? took : longest;
        }

        return longest;
    }
}
