using ReplicaRouter.Tool.Inspection;

namespace ReplicaRouter.Tool.Doctor.Checks;

/// <summary>Every standby replays, and lags no more than half the limit.</summary>
internal sealed class LagCheck : ICheck
{
    public string Name => "replication-lag";

    public Area Area => Area.Replication;

    public string Why => "A replica beyond the limit serves no reads, so the primary has to.";

    public IEnumerable<HostFacts> Subjects(ClusterFacts cluster) => cluster.Standbys;

    public Findings Examine(ClusterFacts cluster)
    {
        var limit = cluster.Configuration.Health.MaxLag;
        var standbys = cluster.Standbys.Where(host => host.Health.Role == HostRole.Replica).ToList();
        return Findings.Of(
            string.Join(", ", standbys.Select(host => FormattableString.Invariant($"{host.Name} {host.Health.ReplicationLag?.TotalMilliseconds:0} ms"))) + FormattableString.Invariant($", limit {limit.TotalSeconds:0.#} s"),
            standbys.Select(host => ProblemOf(host, limit)).OfType<Problem>());
    }

    private static Problem? ProblemOf(HostFacts host, TimeSpan limit)
    {
        if (host.Server!.IsReplayPaused)
            return Problem.Failure($"{host.Name}: replay is paused{Behind(host)}", $"On {host.Host.Endpoint}: SELECT pg_wal_replay_resume();");
        // Other checks report a standby that receives no WAL.
        if (host.Server.Answer is { Timeline: null, IsTimelineHidden: false }) return null;
        if (host.Health.State == HostState.LagUnknown && host.Health.LagBytes is not null)
        {
            return Problem.Failure(
                $"{host.Name}: {host.Health.Error}{Behind(host)}",
                "It replays more slowly than the primary writes, or is delayed on purpose: check recovery_min_apply_delay, queries that hold up replay (pg_stat_database_conflicts), and its disk.");
        }

        if (host.Health.ReplicationLag is not { } lag || lag <= limit / 2) return null;
        return new Problem(
            lag > limit ? Verdict.Failure : Verdict.Warning,
            FormattableString.Invariant($"{host.Name}: lag {lag.TotalSeconds:0.0} s, limit {limit.TotalSeconds:0.#} s"),
            "Check long queries on the standby that hold up replay, its disk, and the network; or give the route a higher MaxLag.");
    }

    private static string Behind(HostFacts host) => host.Health.LagBytes is > 0 and var bytes ? $", {Status.StatusTable.Bytes(bytes)} behind" : "";
}
