using ReplicaRouter.Tool.Inspection;

namespace ReplicaRouter.Tool.Doctor.Checks;

/// <summary>Every configured host answers.</summary>
internal sealed class ReachableCheck : ICheck
{
    public string Name => "reachable";

    public Area Area => Area.Topology;

    public string Why => "A host that can't be reached serves nothing, and takes its share of the load with it.";

    public IEnumerable<HostFacts> Subjects(ClusterFacts cluster) => cluster.Hosts;

    public Findings Examine(ClusterFacts cluster) => Findings.Of(
        string.Join(", ", cluster.Answering.Select(host => FormattableString.Invariant($"{host.Name} {host.Server!.LatencyMs:0.0} ms"))),
        cluster.Hosts.Where(host => host.Failure is not null).Select(host => Problem.Failure(
            $"{host.Name}: {host.Failure}",
            $"Start the server at {host.Host.Endpoint}, or correct or remove {host.Host.Source}. Look at its log, at firewalls, and at pg_hba.conf.")));
}
