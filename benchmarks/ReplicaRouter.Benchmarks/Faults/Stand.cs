using ReplicaRouter.Benchmarks.Arms;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Benchmarks.Faults;

/// <summary>A fresh cluster. One of its replicas is the victim or the primary's successor.</summary>
internal sealed class Stand : IAsyncDisposable
{
    private readonly FaultProxy? _proxy;

    private Stand(LocalCluster cluster, FaultProxy? proxy) => (Cluster, _proxy) = (cluster, proxy);

    public LocalCluster Cluster { get; }

    public LocalServer Victim => Cluster[BenchmarkCluster.Victim];

    public FaultProxy Proxy => _proxy ?? throw new InvalidOperationException("The scenario does not set NeedsProxy.");

    /// <summary>The servers as an arm sees them.</summary>
    public Reach Reach => new(Cluster, Cluster.Servers, server => server == Victim && _proxy is not null ? _proxy.Port : server.Port);

    public static async Task<Stand> StartAsync(Scenario scenario, CancellationToken ct)
    {
        var cluster = await BenchmarkCluster.StartAsync(scenario.NeedsSynchronousVictim, ct);
        return new(cluster, scenario.NeedsProxy ? FaultProxy.Start("127.0.0.1", cluster[BenchmarkCluster.Victim].Port) : null);
    }

    public async ValueTask DisposeAsync()
    {
        if (_proxy is not null) await _proxy.DisposeAsync();
        await Cluster.DisposeAsync();
    }
}
