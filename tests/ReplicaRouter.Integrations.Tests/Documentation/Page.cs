namespace ReplicaRouter.Integrations.Tests.Documentation;

/// <summary>The code that a page of the guide shows, and the code that was compiled.</summary>
internal static class Page
{
    private static readonly string s_checkout = Checkout();
    private static readonly string[] s_compiled = ["tests/ReplicaRouter.Integrations.Tests", "samples/Jobs"];

    public static IReadOnlyList<string> Snippets(string page) =>
        Blocks(File.ReadAllLines(Path.Combine(s_checkout, "docs/guide", page)), line => line == "```csharp", line => line == "```");

    public static IReadOnlyList<string> Regions() =>
    [
        .. s_compiled.SelectMany(folder => Directory.EnumerateFiles(Path.Combine(s_checkout, folder), "*.cs", SearchOption.AllDirectories)).SelectMany(file => Blocks(
            File.ReadAllLines(file),
            line => line.TrimStart().StartsWith("#region ", StringComparison.Ordinal),
            line => line.TrimStart() == "#endregion")),
    ];

    private static string Checkout()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "ReplicaRouter.slnx"))) folder = folder.Parent ?? throw new DirectoryNotFoundException("The tests run outside of the checkout.");
        return folder.FullName;
    }

    private static List<string> Blocks(string[] lines, Func<string, bool> begins, Func<string, bool> ends)
    {
        var blocks = new List<string>();
        for (var i = 0; i < lines.Length; i++)
        {
            if (begins(lines[i])) blocks.Add(Aligned([.. lines.Skip(i + 1).TakeWhile(line => !ends(line))]));
        }

        return blocks;
    }

    /// <summary>Without the indentation that all lines share.</summary>
    private static string Aligned(string[] lines)
    {
        var indentation = lines.Where(line => line.Length > 0).Min(line => line.Length - line.TrimStart().Length);
        return string.Join('\n', lines.Select(line => line.Length == 0 ? line : line[indentation..]));
    }
}
