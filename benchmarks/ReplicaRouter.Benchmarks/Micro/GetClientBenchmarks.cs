using BenchmarkDotNet.Attributes;
using Npgsql;

namespace ReplicaRouter.Benchmarks.Micro;

/// <summary>Choosing a host, without a server: the cost of routing before the connection is opened.</summary>
[MemoryDiagnoser]
[ShortRunJob]
public class GetClientBenchmarks
{
    private DatabaseRouter _router = null!;

    [Params(3, 16)]
    public int Hosts { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var options = new DatabaseRouterOptions();
        options.Hosts["primary"] = new DatabaseHostOptions { ConnectionString = "Host=10.0.0.1" };
        for (var i = 2; i <= Hosts; i++) options.Hosts[$"replica-{i + 1}"] = new DatabaseHostOptions { ConnectionString = $"Host=10.0.0.{i}" };
        _router = new ClusterRouter(RouterConfigurationBuilder.Build(options), createProbe: host => new StillProbe(host));
        _router.GetClient(DatabaseOperation.Read);
    }

    [GlobalCleanup]
    public void Cleanup() => _router.Dispose();

    [Benchmark]
    public NpgsqlDataSource Read() => _router.GetClient(DatabaseOperation.Read);

    [Benchmark]
    public NpgsqlDataSource Write() => _router.GetClient(DatabaseOperation.Write);
}
