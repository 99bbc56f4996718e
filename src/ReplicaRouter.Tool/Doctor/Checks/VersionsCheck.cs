using ReplicaRouter.Tool.Inspection;

namespace ReplicaRouter.Tool.Doctor.Checks;

/// <summary>All servers run one version.</summary>
internal sealed class VersionsCheck : ICheck
{
    public string Name => "versions";

    public Area Area => Area.Topology;

    public string Why => "Streaming replication needs one major version, and minor versions can give different answers where a bug was fixed.";

    public IEnumerable<HostFacts> Subjects(ClusterFacts cluster) => cluster.Members;

    public Findings Examine(ClusterFacts cluster)
    {
        var versions = cluster.Members.GroupBy(host => host.Server!.Version).OrderBy(group => group.Key, StringComparer.Ordinal).ToList();
        var evidence = string.Join(", ", versions.Select(version => $"PostgreSQL {version.Key} ({string.Join(", ", version.Select(host => host.Name))})"));
        var isMajor = cluster.Members.Select(host => host.Server!.Major).Distinct().Count() > 1;
        return Findings.Of(evidence, versions.Count < 2 ? [] :
        [
            isMajor
                ? Problem.Failure(evidence, "Servers of another major version cannot be streaming standbys of this cluster: rebuild them with the primary's version.")
                : Problem.Warning(evidence, "Update all servers to the newest minor version, standbys first."),
        ]);
    }
}
