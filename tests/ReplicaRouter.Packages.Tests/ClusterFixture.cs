using ReplicaRouter.Testing;

[assembly: AssemblyFixture(typeof(ReplicaRouter.Packages.Tests.ClusterFixture))]

namespace ReplicaRouter.Packages.Tests;

/// <summary>One primary and three streaming replicas for all applications.</summary>
public sealed class ClusterFixture : IAsyncLifetime
{
    public LocalCluster Cluster { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Cluster = await LocalCluster.StartAsync(cancellationToken: TestContext.Current.CancellationToken);

    public ValueTask DisposeAsync() => Cluster.DisposeAsync();
}

internal static class ClusterExtensions
{
    /// <summary>Returns the ports of the servers that serve an operation when all are healthy.</summary>
    public static IReadOnlyList<int> PortsOf(this LocalCluster cluster, string operation)
    {
        string[] servers = operation switch
        {
            "Write" or "Transactional" => ["primary"],
            "Analytics" => ["analytics"],
            "Background" => ["background"],
            _ => ["analytics", "background"],
        };
        return [.. servers.Select(server => cluster[server].Port)];
    }

    /// <summary>Whether each of the five operations, one per line, ran on a server of its route.</summary>
    /// <param name="cluster">The servers.</param>
    /// <param name="output">The application's output.</param>
    /// <param name="line">Formats the line for an operation that ran on a port.</param>
    public static bool IsRouted(this LocalCluster cluster, string output, Func<string, int, string> line) =>
        new[] { "Write", "Transactional", "Read", "Analytics", "Background" }.All(operation =>
            cluster.PortsOf(operation).Any(port => output.Split('\n').Contains(line(operation, port))));
}

internal static class Eventually
{
    private const int Tries = 10;

    /// <summary>Repeats a question until the answer is right. On a busy machine a server can be late for the router's first probe, and others serve in its place.</summary>
    public static async Task<string> IsAsync(Func<Task<string>> ask, Func<string, bool> isRight)
    {
        var answer = await ask();
        for (var i = 1; i < Tries && !isRight(answer); i++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(200), TestContext.Current.CancellationToken);
            answer = await ask();
        }

        Assert.True(isRight(answer), answer);
        return answer;
    }
}
