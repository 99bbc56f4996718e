using System.Net;
using System.Text.Json.Nodes;
using ReplicaRouter.RepositoryTests;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Packages.Tests;

/// <summary>Follows docs/guide/getting-started.md with the packages: new applications that route queries to real servers.</summary>
public sealed class NewApplicationTests(LocalFeed feed, ClusterFixture fixture)
{
    private LocalCluster Cluster => fixture.Cluster;

    // Slow: the SDK creates, restores and builds an application.
    [Fact]
    public async Task A_new_console_application_routes_each_operation_and_reads_its_own_writes()
    {
        var folder = await NewApplicationAsync("console", "ReplicaRouter", "GettingStarted.Console");
        await Cli.RunAsync(folder, Variables, "dotnet", "build");
        var output = await Eventually.IsAsync(
            () => Cli.RunAsync(folder, Variables, "dotnet", "run", "--no-build"),
            output => Cluster.IsRouted(output, (operation, port) => $"{operation} ran on 127.0.0.1:{port}"));
        Assert.Matches(@"(?m)^[1-9]\d* visits$", output);
    }

    [Fact]
    public async Task A_new_web_application_routes_reads_is_healthy_and_has_the_settings_schema()
    {
        var folder = await NewApplicationAsync("web", "ReplicaRouter.AspNetCore", "GettingStarted.Web");
        await Cli.RunAsync(folder, Variables, "dotnet", "build");
        await HasSchemaAsync(folder);
        using var process = Cli.Start(folder, Variables, "dotnet", Path.Combine("bin", "Debug", "net10.0", "GettingStarted.Web.dll"), "--urls", "http://127.0.0.1:0");
        try
        {
            using var client = new HttpClient { BaseAddress = await ListeningAddress.OfAsync(process) };
            await Eventually.IsAsync(() => client.GetStringAsync("/", TestContext.Current.CancellationToken),
                read => Cluster.PortsOf("Read").Any(port => read == $"Read from tcp://127.0.0.1:{port}"));
            await Eventually.IsAsync(() => client.GetStringAsync("/report", TestContext.Current.CancellationToken),
                report => report.EndsWith($"counted by tcp://127.0.0.1:{Cluster["analytics"].Port}", StringComparison.Ordinal));
            using var ready = await client.GetAsync("/health/ready", TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }
    }

    [Fact]
    public async Task A_new_EF_Core_application_saves_on_the_primary_and_reads_from_a_replica()
    {
        var folder = await NewApplicationAsync("console", "ReplicaRouter.EntityFrameworkCore", "GettingStarted.EfCore");
        await Cli.RunAsync(folder, Variables, "dotnet", "build");
        var output = await Eventually.IsAsync(
            () => Cli.RunAsync(folder, Variables, "dotnet", "run", "--no-build"),
            output => Cluster.PortsOf("Read").Any(port => output.Contains($"read from 127.0.0.1:{port}", StringComparison.Ordinal)));
        Assert.Matches(@"(?m)^[1-9]\d* products$", output);
        Assert.Contains($"written to 127.0.0.1:{Cluster.Primary.Port}", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_tool_installs_and_shows_the_cluster()
    {
        var folder = feed.NewFolder("tools");
        await Cli.RunAsync(folder, Variables, "dotnet", "tool", "install", "ReplicaRouter.Tool", "--tool-path", folder);
        var status = await Cli.RunAsync(folder, Variables, Path.Combine(folder, "replica-router"), "status");
        foreach (var server in Cluster.Servers) Assert.Contains(server.Name, status, StringComparison.Ordinal);
    }

    /// <summary>Checks the schema that an editor gets from MSBuild. The router's package is a transitive dependency here.</summary>
    private async Task HasSchemaAsync(string folder)
    {
        var answer = await Cli.RunAsync(folder, Variables, "dotnet", "msbuild", "-getItem:JsonSchemaSegment");
        var segments = JsonNode.Parse(answer[answer.IndexOf('{')..(answer.LastIndexOf('}') + 1)])!["Items"]!["JsonSchemaSegment"]!.AsArray();
        var schema = Assert.Single(segments.Select(segment => segment!["FullPath"]!.GetValue<string>()), path => path.Contains("/replicarouter/", StringComparison.Ordinal));
        Assert.Equal(await File.ReadAllTextAsync(Repository.PathOf("src/ReplicaRouter/ConfigurationSchema.json"), TestContext.Current.CancellationToken), await File.ReadAllTextAsync(schema, TestContext.Current.CancellationToken));
    }

    private Dictionary<string, string> Variables => new(feed.Variables.Concat(Cluster.EnvironmentVariables));

    /// <summary>Creates an application with the commands of the page and the code of a sample.</summary>
    private async Task<string> NewApplicationAsync(string template, string package, string sample)
    {
        var parent = feed.NewFolder("applications");
        await Cli.RunAsync(parent, Variables, "dotnet", "new", template, "--output", sample, "--no-restore");
        var folder = Path.Combine(parent, sample);
        await Cli.RunAsync(folder, Variables, "dotnet", "add", "package", package);
        File.Copy(Repository.PathOf($"samples/{sample}/Program.cs"), Path.Combine(folder, "Program.cs"), overwrite: true);
        return folder;
    }
}
