namespace ReplicaRouter.Tests.Configuration;

public sealed class DotEnvFileTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void Reads_assignments_quotes_comments_and_export()
    {
        File.WriteAllText(_path, "# first\n\nA=1\n export B = two words # why\nC=\"x # y\" # z\nD='$E=1'\nF=\nURL=postgresql://a:b#c@h/d?x=1\n");
        Assert.Equal(
            new Dictionary<string, string> { ["A"] = "1", ["B"] = "two words", ["C"] = "x # y", ["D"] = "$E=1", ["F"] = "", ["URL"] = "postgresql://a:b#c@h/d?x=1" },
            DotEnvFile.Read(_path));
    }

    [Theory]
    [InlineData("A=1\nDATABASE_URL s3cret", 2)]
    [InlineData("A=\"s3cret", 1)]
    [InlineData("=s3cret", 1)]
    public void A_malformed_line_is_named_but_not_shown(string text, int line)
    {
        File.WriteAllText(_path, text);
        var error = Assert.Throws<RouterConfigurationException>(() => DotEnvFile.Read(_path));
        Assert.Contains($"line {line}:", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_is_empty() => Assert.Empty(DotEnvFile.Read(_path + ".none"));
}
