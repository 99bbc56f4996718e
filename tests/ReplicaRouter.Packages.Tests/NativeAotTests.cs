using System.Globalization;
using System.Text.RegularExpressions;
using ReplicaRouter.RepositoryTests;

namespace ReplicaRouter.Packages.Tests;

/// <summary>The core package in a program that is compiled ahead of time.</summary>
public sealed partial class NativeAotTests(LocalFeed feed, ClusterFixture fixture)
{
    // Slow: the native compiler takes almost a minute. Needs clang and zlib's headers.
    [Fact]
    public async Task A_native_program_publishes_without_warnings_and_routes_all_kinds_of_work()
    {
        var folder = feed.NewFolder("native");
        var published = await Cli.RunAsync(Repository.PathOf("samples/NativeAot"), new Dictionary<string, string>(), "dotnet", "publish",
            "--configuration", "Release", "--artifacts-path", Path.Combine(folder, "artifacts"), "--output", Path.Combine(folder, "program"));
        Assert.DoesNotContain("warning", published, StringComparison.OrdinalIgnoreCase);
        Assert.False(File.Exists(Path.Combine(folder, "program", "NativeAot.dll")), "The program was not compiled to native code.");

        var output = await Eventually.IsAsync(
            () => Cli.RunAsync(folder, fixture.Cluster.EnvironmentVariables, Path.Combine(folder, "program", "NativeAot")),
            output => fixture.Cluster.IsRouted(output, (operation, port) => string.Create(CultureInfo.InvariantCulture, $"{operation}: port {port}")));
        var session = Session().Match(output);
        Assert.True(session.Success, output);
        Assert.Equal(fixture.Cluster["primary"].Port, int.Parse(session.Groups[1].Value, CultureInfo.InvariantCulture));
        Assert.Equal("59", session.Groups[2].Value);
        Assert.Matches(@"(?m)^transaction: [1-9]\d* visits$", output);
    }

    [GeneratedRegex(@"(?m)^session: written on port (\d+), [1-9]\d* visits read on port \d+, token of (\d+) characters$")]
    private static partial Regex Session();
}
