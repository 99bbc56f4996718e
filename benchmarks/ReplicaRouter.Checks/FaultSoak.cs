using System.Collections.Concurrent;
using Dapper;
using Npgsql;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Checks;

/// <summary>
/// Runs all kinds of work through one router while servers are killed, frozen, cut off, filled, delayed and promoted at random, one fault at a
/// time. Then it heals everything and checks for leftovers: errors, lost or doubled writes, connections, memory.
/// </summary>
public sealed class FaultSoak
{
    /// <summary>Memory growth between the readings that is allowed for caches and the runtime, in bytes.</summary>
    public const long MostGrowth = 20_000_000;

    private const string ApplicationName = "fault soak";
    private static readonly TimeSpan s_warmUp = TimeSpan.FromSeconds(3);

    /// <summary>Two probe intervals, and the recovery of the last victim.</summary>
    private static readonly TimeSpan s_settle = TimeSpan.FromSeconds(7);

    private static readonly TimeSpan s_window = TimeSpan.FromSeconds(3);

    /// <summary>Longest wait for leftovers: abandoned work on a hung host ends only by Npgsql's own time-outs.</summary>
    private static readonly TimeSpan s_longestRest = TimeSpan.FromSeconds(20);

    private readonly FaultSoakOptions _options;
    private readonly LocalCluster _cluster;
    private readonly ProxiedCluster _proxies;
    private readonly ConcurrentQueue<Guid> _acknowledged = new();

    private FaultSoak(FaultSoakOptions options, LocalCluster cluster, ProxiedCluster proxies) => (_options, _cluster, _proxies) = (options, cluster, proxies);

    /// <summary>Starts a cluster, runs the load and the faults on it, and stops the cluster.</summary>
    public static async Task<FaultSoakReport> RunAsync(FaultSoakOptions options, CancellationToken ct = default)
    {
        var servers = new LocalClusterOptions { Replicas = [new() { Name = "analytics" }, new() { Name = "background" }, new() { Name = "replica-3" }] };
        // Few enough to be exhausted quickly.
        servers.Settings["max_connections"] = "60";
        await using var cluster = await LocalCluster.StartAsync(servers, ct);
        await using (var connection = new NpgsqlConnection(cluster.Primary.ConnectionString + ";Pooling=false")) await connection.ExecuteAsync(SoakLoad.CreateTable);
        await cluster.GrantMonitorAsync();
        await cluster.WaitForReplicationAsync(ct);
        foreach (var server in cluster.Servers) await HaveCommitsWaitAsync(cluster, server);
        await using var proxies = new ProxiedCluster(cluster);
        return await new FaultSoak(options, cluster, proxies).RunAsync(ct);
    }

    /// <summary>Makes commits wait for any one standby, whichever server is the primary: a failover to the most advanced standby loses no acknowledged write.</summary>
    private static async Task HaveCommitsWaitAsync(LocalCluster cluster, LocalServer server)
    {
        await using var superuser = new NpgsqlConnection(server.SuperuserConnectionString);
        var names = string.Join(", ", cluster.Servers.Select(standby => $"\"{standby.Name}\""));
        await superuser.ExecuteAsync($"ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 ({names})'");
        await superuser.ExecuteAsync("SELECT pg_reload_conf()");
    }

    private async Task<FaultSoakReport> RunAsync(CancellationToken ct)
    {
        var options = _proxies.RouterOptions();
        options.ApplicationName = ApplicationName;
        foreach (var route in new[] { "write", "transactional" }) options.Routes[route] = new DatabaseRouteOptions { Wait = TimeSpan.FromSeconds(30) };
        var router = DatabaseRouter.Create(options);
        try
        {
            await router.WaitUntilReadyAsync(ct);
            return await RunAsync(router, ct);
        }
        finally
        {
            await router.DisposeAsync();
        }
    }

    private async Task<FaultSoakReport> RunAsync(DatabaseRouter router, CancellationToken ct)
    {
        await RunLoadAsync(router, () => Task.Delay(s_warmUp, ct));
        var memory = GC.GetTotalMemory(forceFullCollection: true);
        var start = TimeProvider.System.GetTimestamp();
        var faults = new Faults(_cluster, new Random(_options.Seed), text => _options.Log?.Invoke($"{TimeProvider.System.GetElapsedTime(start).TotalSeconds:0.0} s: {text}"), _proxies);
        var during = await RunLoadAsync(router, async () =>
        {
            await faults.RunAsync(_options.Length, ct);
            await Task.Delay(s_settle, ct);
        });
        var afterwards = await RunLoadAsync(router, () => Task.Delay(s_window, ct));

        await WaitAsync(() => Task.FromResult(InUse(router).Count == 0), ct);
        var inUse = InUse(router);
        var (lost, doubled) = await AuditAsync();
        // The tokens are memory of the check, not of the router.
        _acknowledged.Clear();
        var growth = GC.GetTotalMemory(forceFullCollection: true) - memory;
        await router.DisposeAsync();
        await WaitAsync(async () => (await SessionsAsync()).Count == 0, ct);
        return new FaultSoakReport
        {
            Seed = _options.Seed,
            Faults = faults.Done,
            Done = during.Done,
            Errors = during.Errors,
            UnexplainedReadErrors = during.UnexplainedReadErrors,
            DoneAfterwards = afterwards.Done,
            ErrorsAfterwards = afterwards.Errors,
            LostWrites = lost,
            DoubledWrites = doubled,
            InUse = inUse,
            SessionsLeft = await SessionsAsync(),
            MemoryGrowth = growth,
        };
    }

    private async Task<SoakLoad> RunLoadAsync(DatabaseRouter router, Func<Task> meanwhile)
    {
        await using var load = new SoakLoad(router, _acknowledged, _options.Log);
        await meanwhile();
        return load;
    }

    private static Dictionary<string, int> InUse(DatabaseRouter router) =>
        router.GetHealthStatus().Where(host => host.Value.ConnectionsInUse != 0).ToDictionary(host => host.Key, host => host.Value.ConnectionsInUse);

    private async Task<(int Lost, int Doubled)> AuditAsync()
    {
        await using var connection = new NpgsqlConnection(_cluster.Primary.SuperuserConnectionString + ";Database=app");
        var counts = (await connection.QueryAsync<(Guid Id, long Count)>("SELECT id, count(*) FROM token GROUP BY id")).ToDictionary(token => token.Id, token => token.Count);
        return (_acknowledged.Count(token => !counts.ContainsKey(token)), counts.Values.Count(count => count > 1));
    }

    private async Task<Dictionary<string, long>> SessionsAsync()
    {
        var sessions = new Dictionary<string, long>();
        foreach (var server in _cluster.Servers)
        {
            await using var superuser = new NpgsqlConnection(server.SuperuserConnectionString);
            var count = await superuser.ExecuteScalarAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE usename = 'app'");
            if (count > 0) sessions[server.Name] = count;
        }

        return sessions;
    }

    /// <summary>Waits for a condition for a limited time. The report shows if it was not met.</summary>
    private static async Task WaitAsync(Func<Task<bool>> condition, CancellationToken ct)
    {
        for (var start = TimeProvider.System.GetTimestamp(); TimeProvider.System.GetElapsedTime(start) < s_longestRest && !await condition();)
        {
            await Task.Delay(50, ct);
        }
    }
}

/// <summary>The options of a <see cref="FaultSoak"/>.</summary>
public sealed record FaultSoakOptions
{
    /// <summary>Time after which no new fault begins.</summary>
    public TimeSpan Length { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Seed of the faults.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Receives a line for each event.</summary>
    public Action<string>? Log { get; init; }
}
