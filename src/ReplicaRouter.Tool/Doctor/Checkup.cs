using ReplicaRouter.Tool.Inspection;

namespace ReplicaRouter.Tool.Doctor;

/// <summary>Runs all checks.</summary>
internal static class Checkup
{
    private static readonly ICheck[] s_checks =
    [
        .. typeof(ICheck).Assembly.GetTypes().Where(type => type.IsClass && type.IsAssignableTo(typeof(ICheck)))
            .Select(type => (ICheck)Activator.CreateInstance(type)!)
            .OrderBy(check => check.Area).ThenBy(check => check.Name, StringComparer.Ordinal),
    ];

    public static IReadOnlyList<CheckResult> Run(ClusterFacts cluster) => [.. s_checks.Where(check => check.Subjects(cluster).Any()).Select(check => Run(check, cluster))];

    private static CheckResult Run(ICheck check, ClusterFacts cluster)
    {
        var findings = check.Examine(cluster);
        return new(check.Name, check.Area, findings.Verdict, findings.Evidence, check.Why, findings.Problems);
    }
}

/// <summary>One check and its findings.</summary>
internal sealed record CheckResult(string Name, Area Area, Verdict Verdict, string Evidence, string Why, IReadOnlyList<Problem> Problems);
