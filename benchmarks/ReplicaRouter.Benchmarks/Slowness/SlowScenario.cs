using ReplicaRouter.Testing;

namespace ReplicaRouter.Benchmarks.Slowness;

/// <summary>How many of three replicas are slow, and by what.</summary>
/// <param name="Name">Its name on the command line.</param>
/// <param name="Title">Its name for people.</param>
/// <param name="Victims">How many are slow.</param>
/// <param name="Create">Makes what makes them slow, given the time to be added to a round trip.</param>
internal sealed record SlowScenario(string Name, string Title, int Victims, Func<LocalCluster, TimeSpan, IImpediment> Create)
{
    /// <summary>The one that an arm's name alone stands for.</summary>
    public const string Main = "latency";

    public static IReadOnlyList<SlowScenario> All { get; } =
    [
        new(Main, "One of three replicas is slow by added latency", 1, (cluster, added) => new AddedLatency(cluster, added)),
        new("latency-two", "Two of three replicas are slow by added latency", 2, (cluster, added) => new AddedLatency(cluster, added)),
        new("cpu", "One of three replicas is starved of CPU", 1, (cluster, _) => new CpuStarvation(cluster)),
        new("cpu-two", "Two of three replicas are starved of CPU", 2, (cluster, _) => new CpuStarvation(cluster)),
    ];

    /// <summary>The last replicas are the victims: the first one serves whoever knows only one.</summary>
    public IReadOnlyList<LocalServer> VictimsOf(LocalCluster cluster) => [.. cluster.Servers.Where(server => server != cluster.Primary).TakeLast(Victims)];
}
