using System.Text.RegularExpressions;
using ReplicaRouter.RepositoryTests;

namespace ReplicaRouter.Docs.Tests.House;

/// <summary>The code and the guide keep to the glossary's words.</summary>
public class GlossaryTests
{
    private static readonly string s_glossary = File.ReadAllText(Repository.PathOf("docs/glossary.md"));
    private static readonly Regex s_refused = Refused();

    [Fact]
    public void No_refused_word_is_used()
    {
        var texts = Repository.Files("src", "*.cs").Concat(Repository.Files("samples", "*.cs")).Concat(Repository.Files("docs/guide", "*.md")).Append(Repository.PathOf("README.md")).Append(Repository.PathOf("CONTRIBUTING.md"));
        Nothing.In(texts.SelectMany(UsesIn));
    }

    [Theory]
    [InlineData("Whoever asks", true)]
    [InlineData("asks in vain", true)]
    [InlineData("Callers ask.", false)]
    [InlineData("an invain thing", false)]
    public void A_refused_word_is_found(string text, bool isFound) => Assert.Equal(isFound, s_refused.IsMatch(text));

    private static IEnumerable<string> UsesIn(string path) =>
        File.ReadLines(path).Index().Where(line => s_refused.IsMatch(line.Item)).Select(line => $"{Repository.NameOf(path)}:{line.Index + 1}: {line.Item.Trim()}");

    /// <summary>The first column of the glossary's last table.</summary>
    private static Regex Refused()
    {
        var rows = s_glossary[s_glossary.IndexOf("| not | but |", StringComparison.Ordinal)..].Split('\n').Skip(2).Where(row => row.StartsWith('|'));
        var words = rows.SelectMany(row => row.Split('|')[1].Split(',')).Select(word => Regex.Escape(word.Trim()));
        return new Regex($@"\b({string.Join('|', words)})\b", RegexOptions.IgnoreCase);
    }
}
