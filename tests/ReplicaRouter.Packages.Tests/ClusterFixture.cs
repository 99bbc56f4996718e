using ReplicaRouter.Testing;

[assembly: AssemblyFixture(typeof(ReplicaRouter.Packages.Tests.ClusterFixture))]

namespace ReplicaRouter.Packages.Tests;

/// <summary>One primary and three streaming replicas for all applications.</summary>
public sealed class ClusterFixture : IAsyncLifetime
{
    public LocalCluster Cluster { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Cluster = await LocalCluster.StartAsync(ct: TestContext.Current.CancellationToken);

    public ValueTask DisposeAsync() => Cluster.DisposeAsync();
}

internal static class ClusterExtensions
{
    /// <summary>The servers that serve an operation when all are well.</summary>
    public static IReadOnlyList<string> ServersOf(this LocalCluster cluster, string operation) => operation switch
    {
        "Write" or "Transactional" => ["primary"],
        "Analytics" => ["analytics"],
        "Background" => ["background"],
        _ => ["analytics", "background"],
    };

    /// <summary>That each of the five operations, one a line, ran where it belongs.</summary>
    /// <param name="cluster">The servers.</param>
    /// <param name="output">What an application wrote.</param>
    /// <param name="line">How it says that an operation ran on a port.</param>
    public static void AssertRouted(this LocalCluster cluster, string output, Func<string, int, string> line)
    {
        foreach (var operation in new[] { "Write", "Transactional", "Read", "Analytics", "Background" })
        {
            Assert.True(cluster.ServersOf(operation).Any(server => output.Split('\n').Contains(line(operation, cluster[server].Port))), $"{operation} did not run where it belongs:\n{output}");
        }
    }
}
