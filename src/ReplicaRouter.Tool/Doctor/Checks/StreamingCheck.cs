using ReplicaRouter.Tool.Inspection;

namespace ReplicaRouter.Tool.Doctor.Checks;

/// <summary>Every standby receives WAL.</summary>
internal sealed class StreamingCheck : ICheck
{
    public string Name => "streaming";

    public Area Area => Area.Replication;

    public string Why => "A standby that receives no WAL shows ever older data. The router takes it out of service once it lags.";

    public IEnumerable<HostFacts> Subjects(ClusterFacts cluster) => cluster.Standbys;

    public Findings Examine(ClusterFacts cluster) => Findings.Of(
        $"{cluster.Standbys.Count()} standbys receive WAL",
        cluster.Standbys.Where(host => host.Server!.Answer is { Timeline: null, IsTimelineHidden: false }).Select(host => Problem.Failure(
            $"{host.Name}: no WAL receiver runs on {host.Host.Endpoint}",
            "Look at primary_conninfo and at the standby's log. If the primary has removed the WAL that it needs, build it anew (pg_basebackup).")));
}
