using ReplicaRouter.Tool.Inspection;

namespace ReplicaRouter.Tool.Doctor.Checks;

/// <summary>Prepared statements exist on the server connections that execute them.</summary>
internal sealed class PreparedStatementsCheck : ICheck
{
    public string Name => "prepared-statements";

    public Area Area => Area.Capacity;

    public string Why => "A pooler in transaction mode that does not track prepared statements sends them to server connections where they do not exist (26000).";

    public IEnumerable<HostFacts> Subjects(ClusterFacts cluster) => cluster.Members;

    public Findings Examine(ClusterFacts cluster)
    {
        var pooled = cluster.Members.Where(host => host.Server!.Pooler is { Mode: PoolerMode.Transaction }).ToList();
        return Findings.Of(
            pooled.Count == 0 ? "no pooler"
                : pooled.All(host => host.Server!.Pooler!.KeepsPreparedStatements) ? "the pooler tracks them"
                : "the pooler does not track them, and Npgsql prepares none automatically: do not call Prepare()",
            pooled.Where(host => host.Host.Connection.MaxAutoPrepare > 0 && !host.Server!.Pooler!.KeepsPreparedStatements).Select(host => Problem.Failure(
                $"{host.Name}: Max Auto Prepare is {host.Host.Connection.MaxAutoPrepare}, and the pooler at {host.Host.Endpoint} does not track prepared statements",
                $"Remove Max Auto Prepare from {host.Host.Source}, or set max_prepared_statements of PgBouncer (1.21 or later).")));
    }
}
