using ReplicaRouter.Tool.Inspection;

namespace ReplicaRouter.Tool.Doctor.Checks;

/// <summary>The application's role has the rights that it needs, and no more.</summary>
internal sealed class CredentialsCheck : ICheck
{
    public string Name => "credentials";

    public Area Area => Area.Security;

    public string Why => "An application that is a superuser can do anything, also through SQL injection, and uses up the connections reserved for operators. "
        + "Without pg_monitor the router cannot see a standby's timeline immediately after a failover.";

    public IEnumerable<HostFacts> Subjects(ClusterFacts cluster) => cluster.Members;

    public Findings Examine(ClusterFacts cluster)
    {
        var roles = cluster.Members.Select(host => host.Server!.Role.Name).Distinct();
        return Findings.Of($"user {string.Join(", ", roles)}: not superuser, member of pg_monitor", cluster.Members.Select(ProblemOf).OfType<Problem>().DistinctBy(problem => problem.Evidence));
    }

    // Roles belong to the whole cluster, so hosts that report the same problem count once.
    private static Problem? ProblemOf(HostFacts host) => host.Server!.Role switch
    {
        { IsSuperuser: true, Name: var name } => Problem.Failure(
            $"user '{name}' is a superuser", "Create a role for the application, grant it what it needs, and use it in all DATABASE variables: CREATE ROLE app LOGIN PASSWORD '...';"),
        { CanReadStatistics: false, Name: var name } => Problem.Warning($"user '{name}' is not a member of pg_monitor", $"On the primary: GRANT pg_monitor TO \"{name}\";"),
        _ => null,
    };
}
