using ReplicaRouter.RepositoryTests;

namespace ReplicaRouter.Docs.Tests;

/// <summary>One Markdown page.</summary>
internal sealed record Page(string Path, string Text)
{
    /// <summary>The README and the guide.</summary>
    public static IEnumerable<Page> All => new[] { Repository.PathOf("README.md") }.Concat(Repository.Files("docs/guide", "*.md")).Select(path => new Page(path, File.ReadAllText(path)));

    public string Name => Repository.NameOf(Path);

    /// <summary>The fenced code blocks.</summary>
    public IEnumerable<CodeBlock> Blocks
    {
        get
        {
            var lines = Text.Split('\n');
            for (var i = 0; i < lines.Length; i++)
            {
                if (!lines[i].TrimStart().StartsWith("```", StringComparison.Ordinal)) continue;
                var begin = i;
                var end = Array.FindIndex(lines, begin + 1, line => line.Trim() == "```");
                Assert.True(end > 0, $"{Name}, line {begin + 1}: the code block is not closed.");
                yield return new CodeBlock(this, begin + 1, lines[begin].Trim()[3..], string.Join('\n', lines[(begin + 1)..end]));
                i = end;
            }
        }
    }
}

/// <summary>A code block of a page.</summary>
internal sealed record CodeBlock(Page Page, int Line, string Language, string Code)
{
    public override string ToString() => $"{Page.Name}, line {Line}: {Code.Split('\n')[0].Trim()}";
}
