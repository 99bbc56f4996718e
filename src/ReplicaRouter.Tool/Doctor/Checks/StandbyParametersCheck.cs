using ReplicaRouter.Tool.Inspection;

namespace ReplicaRouter.Tool.Doctor.Checks;

/// <summary>Every standby's limits are at least as high as the primary's, as hot standby requires.</summary>
/// <remarks>Source: PostgreSQL manual, "Hot Standby", "Administrator's Overview".</remarks>
internal sealed class StandbyParametersCheck : ICheck
{
    private static readonly string[] s_parameters =
        ["max_connections", "max_worker_processes", "max_wal_senders", "max_prepared_transactions", "max_locks_per_transaction"];

    public string Name => "standby-parameters";

    public Area Area => Area.Replication;

    public string Why => "A standby with a lower value than the primary's pauses replay as soon as it notices, and cannot start again.";

    public IEnumerable<HostFacts> Subjects(ClusterFacts cluster) => cluster.Standbys;

    public Findings Examine(ClusterFacts cluster)
    {
        // With two primaries it is unknown which one a standby follows.
        if (cluster.Writable.ToList() is not [var primary]) return Findings.Of("no single primary to compare with", []);
        return Findings.Of(
            $"no lower than {primary.Name}'s: {string.Join(", ", s_parameters)}",
            from standby in cluster.Standbys
            from name in s_parameters
            let least = primary.Server!.Number(name)
            where standby.Server!.Number(name) < least
            select Problem.Failure(
                $"{standby.Name}: {name} is {standby.Server!.Number(name)}, the primary's is {least}",
                $"On {standby.Host.Endpoint}: ALTER SYSTEM SET {name} = {least}; and restart it. Raise it on standbys first, lower it on the primary first."));
    }
}
