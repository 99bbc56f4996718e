namespace ReplicaRouter.Tool.Tests;

/// <summary>A command that can't work says why in one line and exits with 2.</summary>
public sealed class CommandLineTests
{
    [Fact]
    public async Task Without_a_cluster_the_missing_variable_is_named()
    {
        var run = await ToolRun.Async("status");
        Assert.Equal(2, run.ExitCode);
        Assert.StartsWith("DATABASE_URL is not set.", run.Error, StringComparison.Ordinal);
        Assert.Empty(run.Output);
    }

    [Fact]
    public async Task A_named_router_is_read_from_variables_with_its_name()
    {
        var run = await ToolRun.Async("doctor", "--name", "billing");
        Assert.Equal(2, run.ExitCode);
        Assert.StartsWith("BILLING_DATABASE_URL is not set.", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("postgresql://app:s3cret@:x/shop")]
    [InlineData("postgresql://app:s3cret@db-1:port/shop")]
    [InlineData("Host=db-1;Password=s3cret;Nonsense=1")]
    public async Task A_bad_URL_is_reported_without_its_password(string url)
    {
        var run = await ToolRun.Async("doctor", "--url", url);
        Assert.Equal(2, run.ExitCode);
        Assert.StartsWith("--url of 'primary' ", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", run.Error + run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("status", "--url", "postgresql://a/b", "--local", "dev")]
    [InlineData("status", "--name", "billing", "--local", "dev")]
    [InlineData("status", "--url", "postgresql://a/b", "--url", "primary=postgresql://c/b")]
    [InlineData("status", "--local", "../dev")]
    [InlineData("cluster", "up", "--replicas", "many")]
    [InlineData("doctor", "--instances", "0")]
    [InlineData("explain")]
    [InlineData("nonsense")]
    public async Task An_invalid_command_line_is_reported(params string[] args)
    {
        var run = await ToolRun.Async(args);
        Assert.Equal(2, run.ExitCode);
        Assert.NotEmpty(run.Error);
    }

    [Theory]
    [Trait("Failure", "C1")]
    [InlineData("status", "postgresql://app:s3cret@db-1/shop")]
    [InlineData("status", "--urll", "postgresql://app:s3cret@db-1/shop")]
    [InlineData("status", "--urll=postgresql://app:s3cret@db-1/shop")]
    [InlineData("postgresql://app:s3cret@db-1/shop")]
    [InlineData("doctor", "--instances", "app:s3cret@x")]
    [InlineData("doctor", "--url", "jdbc:postgresql://app:s3cret@db-1/shop?sslmode=require")]
    [InlineData("doctor", "--url", "analytics=mysql://app:s3cret@db-1/shop?x=y")]
    public async Task A_misplaced_URL_is_not_repeated(params string[] args)
    {
        var run = await ToolRun.Async(args);
        Assert.Equal(2, run.ExitCode);
        Assert.NotEmpty(run.Error);
        Assert.DoesNotContain("s3cret", run.Error + run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unreachable_cluster_is_reported_soon()
    {
        var start = TimeProvider.System.GetTimestamp();
        var run = await ToolRun.Async("status", "--url", "postgresql://app:s3cret@127.0.0.1:1/shop");
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("no server listens there", run.Output, StringComparison.Ordinal);
        Assert.InRange(TimeProvider.System.GetElapsedTime(start).TotalSeconds, 0, 15);
    }
}
