using ReplicaRouter.Tool.Inspection;

namespace ReplicaRouter.Tool.Doctor.Checks;

/// <summary>Acknowledged writes are on disk.</summary>
internal sealed class SynchronousCommitCheck : ICheck
{
    private const string Setting = "synchronous_commit";

    public string Name => "synchronous-commit";

    public Area Area => Area.Durability;

    public string Why => "With synchronous_commit off, a crash of the primary loses the acknowledged writes of up to the last three wal_writer_delay.";

    public IEnumerable<HostFacts> Subjects(ClusterFacts cluster) => cluster.Members;

    public Findings Examine(ClusterFacts cluster) => Findings.Of(
        string.Join(", ", cluster.Writable.Select(host => $"{host.Name} {host.Server!.Setting(Setting)}")),
        cluster.Members.Where(host => host.Server!.Setting(Setting) == "off").Select(host => Problem.Warning(
            $"{host.Name}: {Setting} is off for user '{host.Server!.Role.Name}'{(host.Server.Answer.IsInRecovery ? ", which matters once it is promoted" : "")}",
            $"On {host.Host.Endpoint}: ALTER SYSTEM SET {Setting} = on; SELECT pg_reload_conf(); and look for ALTER ROLE or ALTER DATABASE that turns it off. Use SET LOCAL for writes that can be lost.")));
}
