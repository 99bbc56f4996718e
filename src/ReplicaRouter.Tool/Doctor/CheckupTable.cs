using Spectre.Console;
using Spectre.Console.Rendering;

namespace ReplicaRouter.Tool.Doctor;

/// <summary>All checks, one per line; each problem comes with its fix and the reason for the check.</summary>
internal static class CheckupTable
{
    public static IRenderable Of(IReadOnlyList<CheckResult> results)
    {
        var table = new Table().Border(TableBorder.Horizontal).AddColumns("", "check", "finding");
        foreach (var result in results) table.AddRow(new Text(Word(result.Verdict), StyleOf(result.Verdict)), new Text(result.Name), Found(result));
        var counts = Enum.GetValues<Verdict>().Select(verdict => $"{results.Count(result => result.Verdict == verdict)} {Word(verdict)}");
        return new Rows(table, new Text(string.Join(", ", counts)));
    }

    private static Rows Found(CheckResult result) => result.Problems.Count == 0 ? new(new Text(result.Evidence)) : new(
    [
        .. result.Problems.SelectMany(problem => new[]
        {
            new Text(problem.Evidence, StyleOf(problem.Verdict)),
            new Text($"fix: {problem.Fix}"),
        }),
        new Text($"why: {result.Why}", new Style(decoration: Decoration.Dim)),
    ]);

    private static string Word(Verdict verdict) => verdict.ToString().ToLowerInvariant();

    private static Style StyleOf(Verdict verdict) => new(verdict switch
    {
        Verdict.Ok => Color.Green,
        Verdict.Warning => Color.Yellow,
        _ => Color.Red,
    });
}
