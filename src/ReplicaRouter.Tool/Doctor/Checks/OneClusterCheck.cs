using ReplicaRouter.Tool.Inspection;

namespace ReplicaRouter.Tool.Doctor.Checks;

/// <summary>All hosts belong to one cluster, and each is a different server.</summary>
internal sealed class OneClusterCheck : ICheck
{
    public string Name => "one-cluster";

    public Area Area => Area.Topology;

    public string Why => "Reads from another cluster return other data. The router refuses such a host, so it serves nothing.";

    public IEnumerable<HostFacts> Subjects(ClusterFacts cluster) => cluster.Answering;

    public Findings Examine(ClusterFacts cluster)
    {
        var primary = cluster.Answering.First();
        return Findings.Of(
            $"system identifier {primary.Server!.Answer.SystemIdentifier}",
            [
                .. cluster.Answering.Where(host => host.Server!.Answer.SystemIdentifier != primary.Server!.Answer.SystemIdentifier).Select(host => Problem.Failure(
                    $"{host.Name}: {host.Host.Endpoint} has the system identifier {host.Server!.Answer.SystemIdentifier}, {primary.Name} has {primary.Server!.Answer.SystemIdentifier}",
                    $"Correct the address in {host.Host.Source}, or make the server a standby of the primary (pg_basebackup).")),
                .. cluster.Answering.GroupBy(host => host.Server!.Answer.Server).Where(group => group.Count() > 1).Select(duplicates => Problem.Failure(
                    $"{string.Join(" and ", duplicates.Select(host => host.Name))} are the same server",
                    $"Name each server once: correct {string.Join(" or ", duplicates.Select(host => host.Host.Source))}.")),
            ]);
    }
}
