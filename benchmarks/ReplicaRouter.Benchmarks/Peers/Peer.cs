using ReplicaRouter.Benchmarks.Arms;
using ReplicaRouter.Checks.Proxies;

namespace ReplicaRouter.Benchmarks.Peers;

/// <summary>The name of a way to read, and how to start it.</summary>
internal sealed record Peer(string Name, Func<Reach, CancellationToken, Task<IReadArm>> StartAsync)
{
    /// <summary>The router in place of a data source.</summary>
    public const string Router = "router";

    /// <summary>The router runs the work (<c>ExecuteAsync</c>).</summary>
    public const string RouterExecute = "router-execute";

    /// <summary>The baseline of the ratios: the same spreading of reads with plain data sources.</summary>
    public const string Baseline = "round-robin";

    private const string MultiHost = "npgsql-multihost";

    // pgpool needs one process for each connection, and a few spare ones.
    private const int PgpoolClients = 40;

    public static IReadOnlyList<Peer> All { get; } =
    [
        new(Router, (reach, _) => Ready(new RouterConnectionArm(reach))),
        new(RouterExecute, (reach, _) => Ready(new RouterArm(reach))),
        new("router-one-host", (reach, _) => Ready(new RouterConnectionArm(reach.Without(reach.Replicas.Skip(1))))),
        new("npgsql", (reach, _) => Ready(new SingleHostArm(reach.To(reach.Replicas[0])))),
        new(MultiHost, (reach, _) => Ready(new MultiHostArm(reach))),
        new(Baseline, (reach, _) => Ready(new RoundRobinArm(reach))),
        HaProxy("haproxy", "leastconn"),
        new("pgbouncer", (reach, ct) => ProxyArm.StartAsync(new PgBouncer(reach.Replicas[0], poolSize: reach.PoolSize ?? 20), reach, _ => { }, ct)),
        new("pgpool", (reach, ct) => ProxyArm.StartAsync(new Pgpool(reach.Cluster, PgpoolClients), reach, _ => { }, ct)),
    ];

    /// <summary>The arms of the scenarios with slow replicas.</summary>
    public static IReadOnlyList<Peer> Balancing { get; } =
    [
        All.First(peer => peer.Name == Router),
        All.First(peer => peer.Name == MultiHost),
        HaProxy("haproxy-leastconn", "leastconn"),
        HaProxy("haproxy-roundrobin", "roundrobin"),
        All.First(peer => peer.Name == Baseline),
    ];

    // One pool for the one address replaces the pools of all replicas.
    private static Peer HaProxy(string name, string balance) => new(name, (reach, ct) => ProxyArm.StartAsync(
        new HaProxy(balance, reach.Replicas.ToDictionary(replica => replica, reach.PortOf)), reach, settings => settings.MaxPoolSize *= reach.Replicas.Count, ct));

    private static Task<IReadArm> Ready(IReadArm arm) => Task.FromResult(arm);
}
