using ReplicaRouter.Tool.Inspection;

namespace ReplicaRouter.Tool.Doctor.Checks;

/// <summary>All pools of all instances fit within a server's connections.</summary>
internal sealed class ConnectionBudgetCheck : ICheck
{
    /// <summary>Connections outside the pools: one for a probe, one for an occasional login.</summary>
    private const int Probes = 2;

    private const double FullShare = 0.9;

    public string Name => "connection-budget";

    public Area Area => Area.Capacity;

    public string Why => "When a server runs out of connections (53300), new instances and operators are locked out, usually at the worst moment: after a failover.";

    public IEnumerable<HostFacts> Subjects(ClusterFacts cluster) => cluster.Members;

    public Findings Examine(ClusterFacts cluster) => Findings.Of(
        string.Join("; ", cluster.Members.Select(host => Evidence(host, cluster))),
        cluster.Members.Select(host => ProblemOf(host, cluster)).OfType<Problem>());

    private static string Evidence(HostFacts host, ClusterFacts cluster) =>
        $"{host.Name} {host.Server!.Connections} in use, up to {Most(host, cluster)} of {host.Server.UsableConnections}{(host.Server.Pooler is null ? "" : " behind a pooler")}";

    private static Problem? ProblemOf(HostFacts host, ClusterFacts cluster)
    {
        var server = host.Server!;
        if (server.Connections > FullShare * server.UsableConnections)
        {
            return Problem.Failure(
                $"{host.Name}: {server.Connections} of {server.UsableConnections} connections are in use",
                "Find out who holds them (pg_stat_activity), and lower pool sizes or raise max_connections.");
        }

        // A pooler shares its few server connections among all its clients.
        if (server.Pooler is not null) return null;
        var (now, promoted) = (Most(host, cluster), Most(cluster, host, route => true));
        var budget = $"{cluster.Instances} instances can open {{0}} connections to {host.Name}; max_connections is {server.MaxConnections}, {server.UsableConnections} without the reserved ones";
        if (now > server.UsableConnections) return Problem.Failure(Format(budget, now), Fix(server, now));
        return promoted > server.UsableConnections
            ? Problem.Warning(Format(budget + ", once it is the primary", promoted), Fix(server, promoted))
            : null;
    }

    private static string Fix(ServerFacts server, int needed) =>
        $"Lower MaxPoolSize of the routes (ReplicaRouter:Routes), put a pooler in between, or raise max_connections to {needed + server.MaxConnections - server.UsableConnections}.";

    /// <summary>Returns the most connections that the host can get: from every route as a primary, from the routes that read there as a standby.</summary>
    private static int Most(HostFacts host, ClusterFacts cluster) =>
        Most(cluster, host, route => !host.Server!.Answer.IsInRecovery || route.Tiers.Any(tier => !tier.IsPrimary && host.Host.Groups.Contains(tier.Group)));

    private static int Most(ClusterFacts cluster, HostFacts host, Func<RoutePlan, bool> leadsThere) =>
        cluster.Instances * (Probes + cluster.Configuration.Routes.Where(leadsThere).Sum(route => route.Pool.MostConnections(host.Host.Connection)));

    private static string Format(string text, int number) => text.Replace("{0}", FormattableString.Invariant($"{number}"), StringComparison.Ordinal);
}
