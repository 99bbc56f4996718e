using System.Globalization;
using System.Text.RegularExpressions;
using Npgsql;
using ReplicaRouter.RepositoryTests;

namespace ReplicaRouter.Packages.Tests;

/// <summary>Follows docs/guide/testing.md with the packages: an application's tests without a server, on one server, and on a cluster.</summary>
public sealed partial class TestProjectTests(LocalFeed feed, ClusterFixture fixture)
{
    private const string Sample = "samples/Testing";

    // Slow: the SDK restores, builds and runs a test project.
    [Theory]
    [InlineData("Orders.UnitTests", 4)]
    [InlineData("Orders.DatabaseTests", 3)]
    [InlineData("Orders.ClusterTests", 3)]
    public Task Each_test_project_of_the_testing_guide_passes(string project, int tests) => PassesAsync(project, tests, feed.Variables);

    [Fact]
    public async Task A_variable_points_the_database_tests_to_a_running_server()
    {
        await PassesAsync("Orders.DatabaseTests", 3, new(feed.Variables) { ["TEST_DATABASE"] = fixture.Cluster.Primary.ConnectionString });
        await using var server = NpgsqlDataSource.Create(fixture.Cluster.Primary.ConnectionString);
        await using var orders = server.CreateCommand("SELECT count(*) FROM orders");
        Assert.Equal(2L, await orders.ExecuteScalarAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public void The_sample_test_projects_reference_the_next_release()
    {
        var version = NextVersion().Match(File.ReadAllText(Repository.PathOf("Directory.Build.props"))).Value;
        var stated = Repository.Files(Sample, "*.csproj").SelectMany(project => OwnPackage().Matches(File.ReadAllText(project))).Select(match => match.Value).ToList();
        Assert.NotEmpty(stated);
        Assert.All(stated, own => Assert.Equal(version, own));
    }

    private async Task PassesAsync(string project, int tests, Dictionary<string, string> variables)
    {
        var folder = CopyOfSample();
        var output = await Cli.RunAsync(folder, variables, "dotnet", "test", "--project", project, "--no-progress");
        var counts = Count().Matches(output).ToDictionary(count => count.Groups["what"].Value, count => int.Parse(count.Groups["number"].Value, CultureInfo.InvariantCulture));
        Assert.True(counts is { Count: 4 } && counts["total"] == tests && counts["succeeded"] == tests, output);
    }

    /// <summary>Copies the sample, with the version of the new packages in place of the repository's.</summary>
    private string CopyOfSample()
    {
        var folder = feed.NewFolder($"testing-{Guid.NewGuid():N}");
        foreach (var file in Repository.Files(Sample, "*"))
        {
            var copy = Path.Combine(folder, Path.GetRelativePath(Repository.PathOf(Sample), file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.WriteAllText(copy, OwnPackage().Replace(File.ReadAllText(file), feed.Version));
        }

        return folder;
    }

    [GeneratedRegex("""(?<=<PackageReference Include="ReplicaRouter[\w.]*" Version=")[^"]+""")]
    private static partial Regex OwnPackage();

    [GeneratedRegex("(?<=<VersionPrefix>)[^<]+")]
    private static partial Regex NextVersion();

    [GeneratedRegex(@"(?m)^\s*(?<what>total|failed|succeeded|skipped): (?<number>\d+)\s*$")]
    private static partial Regex Count();
}
