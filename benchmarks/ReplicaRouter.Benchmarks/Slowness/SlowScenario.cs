using ReplicaRouter.Testing;

namespace ReplicaRouter.Benchmarks.Slowness;

/// <summary>How many of three replicas are slow, and why.</summary>
/// <param name="Name">Its name on the command line.</param>
/// <param name="Title">Its title in the report.</param>
/// <param name="Victims">Number of slow replicas.</param>
/// <param name="Create">Creates the impediment, given the latency to add to a round trip.</param>
internal sealed record SlowScenario(string Name, string Title, int Victims, Func<LocalCluster, TimeSpan, IImpediment> Create)
{
    /// <summary>The scenario whose figures carry only the arm's name in the JSON output.</summary>
    public const string Main = "latency";

    public static IReadOnlyList<SlowScenario> All { get; } =
    [
        new(Main, "One of three replicas is slow by added latency", 1, (cluster, added) => new AddedLatency(cluster, added)),
        new("latency-two", "Two of three replicas are slow by added latency", 2, (cluster, added) => new AddedLatency(cluster, added)),
        new("cpu", "One of three replicas is starved of CPU", 1, (cluster, _) => new CpuStarvation(cluster)),
        new("cpu-two", "Two of three replicas are starved of CPU", 2, (cluster, _) => new CpuStarvation(cluster)),
    ];

    /// <summary>Returns the last replicas: the first one serves arms that know only one.</summary>
    public IReadOnlyList<LocalServer> VictimsOf(LocalCluster cluster) => [.. cluster.Servers.Where(server => server != cluster.Primary).TakeLast(Victims)];
}
