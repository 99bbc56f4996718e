using ReplicaRouter.Tool.Inspection;

namespace ReplicaRouter.Tool.Doctor.Checks;

/// <summary>There is one primary, where the configuration says, and every other host is a standby of its timeline.</summary>
internal sealed class RolesCheck : ICheck
{
    public string Name => "roles";

    public Area Area => Area.Topology;

    public string Why => "The router follows the primary that it observes, but other users of DATABASE_URL expect it there; and without exactly one primary there are no writes.";

    public IEnumerable<HostFacts> Subjects(ClusterFacts cluster) => cluster.Members;

    public Findings Examine(ClusterFacts cluster)
    {
        var writable = cluster.Writable.ToList();
        return Findings.Of($"{string.Join(", ", writable.Select(host => host.Name))} takes writes, {cluster.Standbys.Count()} standbys", Problems(cluster, writable));
    }

    private static IEnumerable<Problem> Problems(ClusterFacts cluster, List<HostFacts> writable)
    {
        var names = string.Join(" and ", writable.Select(host => host.Name));
        var configured = cluster.Hosts.First(host => host.Host.IsConfiguredPrimary);
        // Another check reports an unreachable primary.
        if (writable.Count == 0 && configured.Server is not null)
            yield return Problem.Failure($"no host takes writes: {configured.Host.Source} points to a standby", "Promote a standby (pg_promote), or set DATABASE_URL to the primary.");
        if (writable.Select(host => host.Server!.Answer.Server).Distinct().Count() > 1)
            yield return Problem.Failure($"{names} take writes independently of each other", Choose(writable.Find(host => host.Health.State == HostState.Fenced)?.Name));
        else if (writable is [var primary] && primary != configured)
        {
            yield return Problem.Warning(
                $"{primary.Name} is the primary, and {configured.Name} is {(configured.Server is null ? "unreachable" : "a standby")}",
                $"This is expected after a failover. To make the configuration match, exchange the addresses in {configured.Host.Source} and {primary.Host.Source}.");
        }
    }

    /// <summary>Rewinding a server discards its writes, so the first step is to decide which to keep.</summary>
    private static string Choose(string? fenced) =>
        "Decide which server's writes to keep, and rewind none before that. "
        + $"To keep {fenced ?? "one that is Fenced"}, run 'replica-router accept {fenced ?? "NAME"} --app URL' for each process of the application. "
        + "In either case, then stop the other server, and only after that rebuild or rewind it (pg_basebackup, pg_rewind).";
}
