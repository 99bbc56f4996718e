namespace ReplicaRouter.Tests.Loading;

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
    [InlineData("postgresql://app:s3cret@h/app?sslmode=require", 1)]
    [InlineData("A=1\nB='x\ns3cret=y@z'", 2)]
    public void A_malformed_line_is_reported_by_number_but_not_quoted(string text, int line)
    {
        File.WriteAllText(_path, text);
        var error = Assert.Throws<DatabaseRouterConfigurationException>(() => DotEnvFile.Read(_path));
        Assert.Contains($"line {line}:", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void All_malformed_lines_are_reported_at_once()
    {
        var error = Assert.Throws<DatabaseRouterConfigurationException>(() => DotEnvFile.Parse("A\nB=1\nC\n", ".env"));
        Assert.Equal([".env, line 1: not an assignment. Write NAME=value or NAME=\"value\".", ".env, line 3: not an assignment. Write NAME=value or NAME=\"value\"."], error.Faults);
    }

    [Fact]
    [Trait("Failure", "C12")]
    public async Task Reading_a_named_pipe_without_a_writer_times_out()
    {
        var pipe = await PipeAsync();
        var error = Assert.Throws<DatabaseRouterConfigurationException>(() => DotEnvFile.Read(pipe, TimeSpan.FromMilliseconds(100)));
        Assert.Contains("did not return its content within 0.1 s", error.Message, StringComparison.Ordinal);
        // Ends the thread that still waits for a writer.
        await WriteAsync(pipe, "");
    }

    [Fact]
    public async Task A_named_pipe_with_a_writer_is_read()
    {
        var pipe = await PipeAsync();
        var writing = WriteAsync(pipe, "A=1\n");
        Assert.Equal("1", DotEnvFile.Read(pipe)["A"]);
        await writing;
    }

    [Theory]
    [Trait("Failure", "C12")]
    [InlineData("/dev/zero")]
    [InlineData("/dev/urandom")]
    public void An_endless_file_is_rejected(string path) =>
        Assert.Contains("is larger than 1024 KiB", Assert.Throws<DatabaseRouterConfigurationException>(() => DotEnvFile.Read(path)).Message, StringComparison.Ordinal);

    [Fact]
    [Trait("Failure", "C12")]
    public void A_huge_file_is_rejected()
    {
        using (var file = File.OpenWrite(_path)) file.SetLength(20L << 30);
        Assert.Contains("is larger than 1024 KiB", Assert.Throws<DatabaseRouterConfigurationException>(() => DotEnvFile.Read(_path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_not_text_is_rejected()
    {
        File.WriteAllBytes(_path, [.. "A=s3cret"u8, 0xff]);
        var error = Assert.Throws<DatabaseRouterConfigurationException>(() => DotEnvFile.Read(_path));
        Assert.Contains("is not UTF-8 text", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_directory_of_that_name_is_ignored() => Assert.Empty(DotEnvFile.Read(Path.GetTempPath()));

    /// <summary>Writes on another thread, because opening a pipe blocks until a reader opens it.</summary>
    private static Task WriteAsync(string pipe, string text) => Task.Run(() => File.WriteAllText(pipe, text), TestContext.Current.CancellationToken);

    private async Task<string> PipeAsync()
    {
        File.Delete(_path);
        using var making = System.Diagnostics.Process.Start("mkfifo", [_path]);
        await making.WaitForExitAsync(TestContext.Current.CancellationToken);
        return _path;
    }

    [Fact]
    public void A_missing_file_yields_no_variables() => Assert.Empty(DotEnvFile.Read(_path + ".none"));
}
