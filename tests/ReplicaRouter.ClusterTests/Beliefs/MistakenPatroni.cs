using ReplicaRouter.Testing;
using ReplicaRouter.Tests.Discovery;

namespace ReplicaRouter.ClusterTests.Beliefs;

/// <summary>A Patroni member that reports one server as the leader and all others as replicas, regardless of their real roles.</summary>
internal sealed class MistakenPatroni(LocalCluster cluster, string leader) : IAsyncDisposable
{
    private readonly FakePatroni _member = new() { Answer = Cluster(cluster, leader) };

    /// <summary>Returns options for a router that polls this member once a second.</summary>
    public DatabaseRouterOptions Options(params string[] configured)
    {
        var options = cluster.Options(configured);
        options.Discovery.Patroni.Urls.Add(_member.Url.ToString());
        options.Discovery.Interval = TimeSpan.FromSeconds(1);
        return options;
    }

    public ValueTask DisposeAsync() => _member.DisposeAsync();

    private static string Cluster(LocalCluster cluster, string leader)
    {
        var members = cluster.Servers.Select(server => $$"""
            {"name": "{{server.Name}}", "role": "{{(server.Name == leader ? "leader" : "replica")}}", "state": "running", "host": "127.0.0.1", "port": {{server.Port}}, "timeline": 1}
            """);
        return $$"""{"members": [{{string.Join(", ", members)}}], "scope": "app"}""";
    }
}
