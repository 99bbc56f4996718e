using ReplicaRouter.Tool.Inspection;

namespace ReplicaRouter.Tool.Doctor.Checks;

/// <summary>Standbys tell the primary which rows their queries still need.</summary>
internal sealed class HotStandbyFeedbackCheck : ICheck
{
    public string Name => "hot-standby-feedback";

    public Area Area => Area.Replication;

    public string Why => "Without it, vacuum on the primary removes rows that a query on the standby reads, and the query is cancelled (40001) or holds up replay.";

    public IEnumerable<HostFacts> Subjects(ClusterFacts cluster) => cluster.Standbys;

    public Findings Examine(ClusterFacts cluster) => Findings.Of("on at every standby", cluster.Standbys.Where(host => host.Server!.Setting("hot_standby_feedback") == "off")
        .Select(host => Problem.Warning(
            $"{host.Name}: hot_standby_feedback is off",
            $"On {host.Host.Endpoint}: ALTER SYSTEM SET hot_standby_feedback = on; SELECT pg_reload_conf(); and limit long queries there: the primary keeps dead rows for them.")));
}
