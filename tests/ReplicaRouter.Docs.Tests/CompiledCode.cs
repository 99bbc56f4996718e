using System.Text.RegularExpressions;
using ReplicaRouter.RepositoryTests;

namespace ReplicaRouter.Docs.Tests;

/// <summary>The <c>#region</c>s of files that the build compiles.</summary>
internal sealed partial class CompiledCode(IEnumerable<string> sources)
{
    private readonly string[] _regions = [.. sources.SelectMany(RegionsOf).Select(Normalized)];

    /// <summary>The regions of the repository. To search further folders, add them here.</summary>
    public static CompiledCode OfRepository { get; } = new(
        new[] { "docs/snippets", "samples", "tests" }.SelectMany(folder => Repository.Files(folder, "*.cs")).Select(File.ReadAllText));

    public bool Holds(string code) => Normalized(code) is var wanted && _regions.Any(region => region.Contains(wanted, StringComparison.Ordinal));

    private static IEnumerable<string> RegionsOf(string source)
    {
        Stack<List<string>> open = [];
        foreach (var line in source.Split('\n'))
        {
            var trimmed = line.TrimStart();
            if (trimmed.StartsWith("#region", StringComparison.Ordinal)) open.Push([]);
            else if (trimmed.StartsWith("#endregion", StringComparison.Ordinal)) yield return string.Join('\n', open.Pop());
            else foreach (var region in open) region.Add(line);
        }
    }

    /// <summary>Collapses white space: indentation and line breaks differ between a page and a class.</summary>
    private static string Normalized(string code) => $" {WhiteSpace().Replace(code, " ").Trim()} ";

    [GeneratedRegex(@"\s+")]
    private static partial Regex WhiteSpace();
}
