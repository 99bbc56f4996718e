using ReplicaRouter.Tool.Inspection;

namespace ReplicaRouter.Tool.Doctor.Checks;

/// <summary>Replay waits for queries on a standby, but not for ever.</summary>
internal sealed class StandbyDelayCheck : ICheck
{
    private const string Setting = "max_standby_streaming_delay";

    public string Name => "standby-delay";

    public Area Area => Area.Replication;

    public string Why => "When replay meets a query that is in its way, one of both has to wait: this says for how long replay does.";

    public IEnumerable<HostFacts> Subjects(ClusterFacts cluster) => cluster.Standbys;

    public Findings Examine(ClusterFacts cluster) => Findings.Of(
        string.Join(", ", cluster.Standbys.Select(host => FormattableString.Invariant($"{host.Name} {host.Server!.Number(Setting) / 1000.0:0.#} s"))),
        cluster.Standbys.Select(host => host.Server!.Number(Setting) switch
        {
            0 => Problem.Warning($"{host.Name}: {Setting} is 0, so that every query in the way of replay is cancelled at once", Fix(host)),
            -1 => Problem.Warning($"{host.Name}: {Setting} is -1, so that one forgotten query stops replay for ever", Fix(host)),
            _ => null,
        }).OfType<Problem>());

    private static string Fix(HostFacts host) =>
        $"On {host.Host.Endpoint}: ALTER SYSTEM SET {Setting} = '30s'; SELECT pg_reload_conf(); longer where reports run, and no longer than the route's MaxLag where fresh data counts.";
}
