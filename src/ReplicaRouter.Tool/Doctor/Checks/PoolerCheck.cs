using ReplicaRouter.Tool.Inspection;

namespace ReplicaRouter.Tool.Doctor.Checks;

/// <summary>No pooler breaks the database session state that applications rely on.</summary>
internal sealed class PoolerCheck : ICheck
{
    public string Name => "pooler";

    public Area Area => Area.Capacity;

    public string Why => "In transaction mode the next transaction can run on another server connection: SET, LISTEN, advisory locks, temporary tables and cursors WITH HOLD are lost or belong to another client.";

    public IEnumerable<HostFacts> Subjects(ClusterFacts cluster) => cluster.Members;

    public Findings Examine(ClusterFacts cluster)
    {
        var pooled = cluster.Members.Where(host => host.Server!.Pooler is not null).ToList();
        return Findings.Of(
            pooled.Count == 0 ? "no pooler" : $"in session mode in front of {string.Join(", ", pooled.Select(host => host.Name))}",
            pooled.Where(host => host.Server!.Pooler!.Mode == PoolerMode.Transaction).Select(host => Problem.Warning(
                $"{host.Name}: a pooler in transaction mode answers at {host.Host.Endpoint}",
                "Use no session state, keep 'No Reset On Close=true' in the connection string and 'ignore_startup_parameters = extra_float_digits,options' in the pooler; "
                    + "or connect the router directly to the servers: it has its own pools.")));
    }
}
