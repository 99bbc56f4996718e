using System.Text.RegularExpressions;

namespace ReplicaRouter.EntityFrameworkCore.Tests;

/// <summary>The code of docs/guide/efcore.md is compiled: each block is a region of GuideSnippets.cs.</summary>
public partial class GuideTests
{
    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex("#region (\\w+)\n(.*?)#endregion", RegexOptions.Singleline)]
    private static partial Regex Region();

    [Fact]
    public void The_guides_code_compiles()
    {
        var folder = AppContext.BaseDirectory;
        var blocks = Block().Matches(File.ReadAllText(Path.Combine(folder, "efcore.md"))).Select(block => Unindented(block.Groups[1].Value)).ToList();
        var regions = Region().Matches(File.ReadAllText(Path.Combine(folder, "GuideSnippets.cs"))).Select(region => Unindented(region.Groups[2].Value)).ToList();
        Assert.NotEmpty(blocks);
        Assert.Equal(blocks.Order(StringComparer.Ordinal), regions.Order(StringComparer.Ordinal));
    }

    private static string Unindented(string code)
    {
        var lines = code.TrimEnd().Split('\n');
        var indent = lines.Where(line => line.Length > 0).Min(line => line.Length - line.TrimStart().Length);
        return string.Join('\n', lines.Select(line => line.Length >= indent ? line[indent..].TrimEnd() : ""));
    }
}
