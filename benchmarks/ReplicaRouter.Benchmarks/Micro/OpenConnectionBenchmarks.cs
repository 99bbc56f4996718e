using BenchmarkDotNet.Attributes;
using Npgsql;
using ReplicaRouter.Benchmarks.Arms;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Benchmarks.Micro;

/// <summary>Opening and closing a pooled connection with a real primary and three replicas, compared with Npgsql's own data sources.</summary>
[MemoryDiagnoser]
[ShortRunJob]
public class OpenConnectionBenchmarks
{
    private LocalCluster _cluster = null!;
    private DatabaseRouter _router = null!;
    private NpgsqlDataSource _singleHost = null!;
    private NpgsqlMultiHostDataSource _multiHost = null!;
    private NpgsqlDataSource _preferStandby = null!;

    [GlobalSetup]
    public async Task SetupAsync()
    {
        _cluster = await BenchmarkCluster.StartAsync(isVictimSynchronous: false, CancellationToken.None);
        var reach = Reach.Directly(_cluster);
        _router = DatabaseRouter.Create(reach.RouterOptions());
        _singleHost = NpgsqlDataSource.Create(reach.To(reach.Replicas[0]));
        _multiHost = new NpgsqlDataSourceBuilder(reach.ToAll().ConnectionString).BuildMultiHost();
        _preferStandby = _multiHost.WithTargetSession(TargetSessionAttributes.PreferStandby);
    }

    [GlobalCleanup]
    public async Task CleanupAsync()
    {
        await _router.DisposeAsync();
        await _singleHost.DisposeAsync();
        await _multiHost.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    [Benchmark(Baseline = true)]
    public async Task SingleHost()
    {
        await using var connection = await _singleHost.OpenConnectionAsync();
    }

    [Benchmark]
    public async Task MultiHost()
    {
        await using var connection = await _preferStandby.OpenConnectionAsync();
    }

    [Benchmark]
    public async Task Router()
    {
        await using var connection = await _router.OpenConnectionAsync(DatabaseOperation.Read);
    }
}
