namespace ReplicaRouter.Tool.Doctor;

/// <summary>What a check found.</summary>
/// <param name="Evidence">What was observed; shown when all is well.</param>
/// <param name="Problems">What is wrong; empty when all is well.</param>
internal sealed record Findings(string Evidence, IReadOnlyList<Problem> Problems)
{
    public Verdict Verdict => Problems.Select(problem => problem.Verdict).DefaultIfEmpty(Verdict.Ok).Max();

    public static Findings Of(string evidence, IEnumerable<Problem> problems) => new(evidence, [.. problems]);
}

/// <summary>One thing that is wrong.</summary>
/// <param name="Verdict">How bad it is.</param>
/// <param name="Evidence">What was observed, and where.</param>
/// <param name="Fix">What to do about it.</param>
internal sealed record Problem(Verdict Verdict, string Evidence, string Fix)
{
    public static Problem Warning(string evidence, string fix) => new(Verdict.Warning, evidence, fix);

    public static Problem Failure(string evidence, string fix) => new(Verdict.Failure, evidence, fix);
}
