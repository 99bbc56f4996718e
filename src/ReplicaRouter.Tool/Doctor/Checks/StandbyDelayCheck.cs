using ReplicaRouter.Tool.Inspection;

namespace ReplicaRouter.Tool.Doctor.Checks;

/// <summary>Replay waits for conflicting queries on a standby, but not forever.</summary>
internal sealed class StandbyDelayCheck : ICheck
{
    private const string Setting = "max_standby_streaming_delay";

    public string Name => "standby-delay";

    public Area Area => Area.Replication;

    public string Why => "When replay conflicts with a query, replay waits for this long and then cancels the query.";

    public IEnumerable<HostFacts> Subjects(ClusterFacts cluster) => cluster.Standbys;

    public Findings Examine(ClusterFacts cluster) => Findings.Of(
        string.Join(", ", cluster.Standbys.Select(host => FormattableString.Invariant($"{host.Name} {host.Server!.Number(Setting) / 1000.0:0.#} s"))),
        cluster.Standbys.Select(host => host.Server!.Number(Setting) switch
        {
            0 => Problem.Warning($"{host.Name}: {Setting} is 0, so every query that conflicts with replay is cancelled immediately", Fix(host)),
            -1 => Problem.Warning($"{host.Name}: {Setting} is -1, so one forgotten query stops replay forever", Fix(host)),
            _ => null,
        }).OfType<Problem>());

    private static string Fix(HostFacts host) =>
        $"On {host.Host.Endpoint}: ALTER SYSTEM SET {Setting} = '30s'; SELECT pg_reload_conf(); Use more where reports run, and no more than the route's MaxLag where data must be fresh.";
}
