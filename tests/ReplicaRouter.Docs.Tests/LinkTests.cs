using System.Text.RegularExpressions;

namespace ReplicaRouter.Docs.Tests;

/// <summary>Links within the documentation are not broken.</summary>
public partial class LinkTests
{
    [Fact]
    public void Every_link_points_to_an_existing_file_and_heading()
    {
        var broken = from page in Page.All
                     from link in LinksOf(page)
                     where !LeadsSomewhere(page, link)
                     select $"{page.Name}: {link}";
        Assert.Empty(broken);
    }

    private static IEnumerable<string> LinksOf(Page page) =>
        Link().Matches(page.Blocks.Aggregate(page.Text, (text, block) => text.Replace(block.Code, "", StringComparison.Ordinal)))
            .Select(match => match.Groups[1].Value).Where(link => !link.Contains("://", StringComparison.Ordinal));

    private static bool LeadsSomewhere(Page page, string link)
    {
        var parts = link.Split('#', 2);
        var path = parts[0].Length == 0 ? page.Path : Path.GetFullPath(parts[0], Path.GetDirectoryName(page.Path)!);
        if (!Path.Exists(path)) return false;
        return parts.Length == 1 || Heading().Matches(File.ReadAllText(path)).Any(heading => Anchor(heading.Groups[1].Value) == parts[1]);
    }

    /// <summary>Applies GitHub's rule: lower case, no punctuation, hyphens for spaces.</summary>
    private static string Anchor(string heading) =>
        string.Concat(heading.Trim().ToLowerInvariant().Where(c => char.IsLetterOrDigit(c) || c is ' ' or '-' or '_')).Replace(' ', '-');

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^#+ (.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();
}
