using ReplicaRouter.Tool.Inspection;

namespace ReplicaRouter.Tool.Doctor.Checks;

/// <summary>Every configured host answers.</summary>
internal sealed class ReachableCheck : ICheck
{
    public string Name => "reachable";

    public Area Area => Area.Topology;

    public string Why => "An unreachable host serves nothing, and the other hosts carry its load.";

    public IEnumerable<HostFacts> Subjects(ClusterFacts cluster) => cluster.Hosts;

    public Findings Examine(ClusterFacts cluster) => Findings.Of(
        string.Join(", ", cluster.Answering.Select(host => FormattableString.Invariant($"{host.Name} {host.Server!.LatencyMs:0.0} ms"))),
        cluster.Hosts.Select(ProblemOf).OfType<Problem>());

    private static Problem? ProblemOf(HostFacts host) => host.Failure is { } failure ? Problem.Failure($"{host.Name}: {failure.Message}", Fix(host, failure.Kind)) : null;

    /// <summary>A server that refuses the login or the certificate is running; the finding says what to correct.</summary>
    private static string Fix(HostFacts host, FailureKind kind) => kind == FailureKind.Misconfigured
        ? $"Correct {host.Host.Source}, or what the server allows (pg_hba.conf, roles, certificate), as the finding says."
        : $"Start the server at {host.Host.Endpoint}, or correct or remove {host.Host.Source}. Check its log, firewalls, and pg_hba.conf.";
}
