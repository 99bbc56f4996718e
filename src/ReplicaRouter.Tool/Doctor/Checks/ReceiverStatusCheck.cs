using ReplicaRouter.Tool.Inspection;

namespace ReplicaRouter.Tool.Doctor.Checks;

/// <summary>Standbys report their positions to the primary regularly.</summary>
internal sealed class ReceiverStatusCheck : ICheck
{
    private const string Setting = "wal_receiver_status_interval";

    /// <summary>PostgreSQL's default, in seconds.</summary>
    private const int Usual = 10;

    public string Name => "receiver-status";

    public Area Area => Area.Replication;

    public string Why => "Without reports the primary does not know what a standby has applied or needs: hot_standby_feedback does nothing, and pg_stat_replication is stale.";

    public IEnumerable<HostFacts> Subjects(ClusterFacts cluster) => cluster.Standbys;

    public Findings Examine(ClusterFacts cluster) => Findings.Of(
        string.Join(", ", cluster.Standbys.Select(host => $"{host.Name} {host.Server!.Number(Setting)} s")),
        cluster.Standbys.Select(host => host.Server!.Number(Setting) switch
        {
            0 => Problem.Warning($"{host.Name}: {Setting} is 0: it sends no regular reports", Fix(host)),
            > Usual and var seconds => Problem.Warning($"{host.Name}: {Setting} is {seconds} s", Fix(host)),
            _ => null,
        }).OfType<Problem>());

    private static string Fix(HostFacts host) => $"On {host.Host.Endpoint}: ALTER SYSTEM SET {Setting} = '{Usual}s'; SELECT pg_reload_conf();";
}
