using ReplicaRouter.Tool.Inspection;

namespace ReplicaRouter.Tool.Doctor.Checks;

/// <summary>Every standby receives WAL.</summary>
internal sealed class StreamingCheck : ICheck
{
    public string Name => "streaming";

    public Area Area => Area.Replication;

    public string Why => "A standby that receives no WAL serves ever older data. The router takes it out of service once it lags.";

    public IEnumerable<HostFacts> Subjects(ClusterFacts cluster) => cluster.Standbys;

    public Findings Examine(ClusterFacts cluster) => Findings.Of(
        $"{cluster.Standbys.Count()} standbys receive WAL",
        cluster.Standbys.Where(host => host.Server!.Answer is { Timeline: null, IsTimelineHidden: false }).Select(host => Problem.Failure(
            $"{host.Name}: no WAL receiver runs on {host.Host.Endpoint}",
            "Check primary_conninfo and the standby's log. If the primary has removed WAL that the standby needs, rebuild the standby (pg_basebackup).")));
}
