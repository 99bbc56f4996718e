using System.Globalization;
using Npgsql;
using ReplicaRouter.Benchmarks.Micro;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Benchmarks.Memory;

/// <summary>Measures the memory of a router with thirty hosts after many operations, and that of as many plain data sources and connections.</summary>
/// <remarks>The thirty hosts are three servers under many names: their probe answers are simulated, their pools are real.</remarks>
internal sealed class MemoryRun(LocalCluster cluster, int operations)
{
    private const int Hosts = 30;
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(300);

    public async Task<MemoryFigures> RunAsync()
    {
        // Run each once first, so that allocations made once per process do not count.
        await MeasurePlainAsync(Hosts);
        await MeasureRouterAsync(Hosts);
        var plain = await MeasurePlainAsync(operations);
        var router = await MeasureRouterAsync(operations);
        return new(Hosts, operations, plain, router);
    }

    private async Task<MemoryUse> MeasurePlainAsync(int count)
    {
        var before = await HeldAsync();
        var sources = Enumerable.Range(0, Hosts - 1).Select(host => NpgsqlDataSource.Create(Settings(host).ConnectionString)).ToArray();
        var next = 0;
        var use = await OperateAsync(before, count, () => sources[next++ % sources.Length].OpenConnectionAsync());
        foreach (var source in sources) await source.DisposeAsync();
        return use;
    }

    private async Task<MemoryUse> MeasureRouterAsync(int count)
    {
        var before = await HeldAsync();
        var options = new DatabaseRouterOptions { ConfigureDataSource = source => Redirect(source.ConnectionStringBuilder) };
        options.Hosts["primary"] = new DatabaseHostOptions { ConnectionString = "Host=10.0.0.0" };
        for (var host = 1; host < Hosts; host++) options.Hosts[$"replica-{host + 2}"] = new DatabaseHostOptions { ConnectionString = $"Host=10.0.0.{host}" };
        await using var router = new ClusterRouter(RouterConfigurationBuilder.Build(options), createProbe: host => new StillProbe(host));
        return await OperateAsync(before, count, () => router.OpenConnectionAsync(DatabaseOperation.Read));
    }

    private static async Task<MemoryUse> OperateAsync(long before, int count, Func<ValueTask<NpgsqlConnection>> open)
    {
        // Warm-up: afterwards every host has a connection, and memory is stable.
        for (var i = 0; i < Hosts * 100; i++) await (await open()).DisposeAsync();
        var (young, middle, old) = (GC.CollectionCount(0), GC.CollectionCount(1), GC.CollectionCount(2));
        for (var i = 0; i < count; i++) await (await open()).DisposeAsync();
        // A collection of one generation also counts for the younger ones.
        (young, middle, old) = (GC.CollectionCount(0) - young, GC.CollectionCount(1) - middle, GC.CollectionCount(2) - old);
        return new(await HeldAsync() - before, young - middle, middle - old, old);
    }

    /// <summary>Returns the bytes in use once they stop falling: closed connections are released a little later.</summary>
    private static async Task<long> HeldAsync()
    {
        for (var held = long.MaxValue; ;)
        {
            await Task.Delay(s_pause);
            GC.Collect();
            GC.WaitForPendingFinalizers();
            var now = GC.GetTotalMemory(forceFullCollection: true);
            if (now >= held) return now;
            held = now;
        }
    }

    private void Redirect(NpgsqlConnectionStringBuilder settings)
    {
        var real = Settings(int.Parse(settings.Host!.Split('.')[^1], CultureInfo.InvariantCulture));
        (settings.Host, settings.Port, settings.Username, settings.Password, settings.Database) = (real.Host, real.Port, real.Username, real.Password, real.Database);
    }

    private NpgsqlConnectionStringBuilder Settings(int host) => new(cluster.Servers[1 + (host % (cluster.Servers.Count - 1))].ConnectionString);
}
