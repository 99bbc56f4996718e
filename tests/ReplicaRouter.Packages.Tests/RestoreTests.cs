using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using ReplicaRouter.RepositoryTests;

namespace ReplicaRouter.Packages.Tests;

/// <summary>Packages that the repository's projects refuse to restore.</summary>
public sealed class RestoreTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("replicarouter-restore-");

    [Fact]
    public async Task A_package_with_a_known_vulnerability_is_not_restored()
    {
        using var advisories = new HttpListener();
        var address = $"http://127.0.0.1:{FreePort().ToString(CultureInfo.InvariantCulture)}/";
        advisories.Prefixes.Add(address);
        advisories.Start();
        _ = AnswerAsync(advisories, address);
        MakeProject($"""<auditSources><clear /><add key="advisories" value="{address}index.json" allowInsecureConnections="true" /></auditSources>""");

        var (exitCode, output) = await RestoreAsync();

        Assert.NotEqual(0, exitCode);
        Assert.Contains("error NU1903: Warning As Error: Package 'Npgsql'", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_package_whose_hash_differs_from_the_lock_file_is_refused()
    {
        MakeProject("");
        var (exitCode, output) = await RestoreAsync();
        Assert.True(exitCode == 0, output);
        var locks = Path.Combine(_folder.FullName, "packages.lock.json");
        var written = await File.ReadAllTextAsync(locks, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(locks, written.Replace("\"contentHash\": \"", "\"contentHash\": \"AAAA", StringComparison.Ordinal), TestContext.Current.CancellationToken);

        (exitCode, output) = await RestoreAsync("--force");

        Assert.NotEqual(0, exitCode);
        Assert.Contains("error NU1403", output, StringComparison.Ordinal);
    }

    private void MakeProject(string configuration)
    {
        Write("nuget.config", $"<configuration>{configuration}</configuration>");
        foreach (var name in new[] { "Directory.Build.props", "Directory.Packages.props" }) Write(name, $"""<Project><Import Project="{Repository.PathOf(name)}" /></Project>""");
        Write("Project.csproj", """<Project Sdk="Microsoft.NET.Sdk"><ItemGroup><PackageReference Include="Npgsql" /></ItemGroup></Project>""");
    }

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(_folder.FullName, name), text);

    private Task<(int ExitCode, string Output)> RestoreAsync(params string[] arguments) =>
        Cli.EndAsync(_folder.FullName, new Dictionary<string, string> { ["CI"] = "" }, "dotnet", ["restore", .. arguments]);

    /// <summary>Serves one advisory for all versions of Npgsql, in NuGet's VulnerabilityInfo format.</summary>
    private static async Task AnswerAsync(HttpListener listener, string address)
    {
        var answers = new Dictionary<string, string>
        {
            ["/index.json"] = $$"""{"version":"3.0.0","resources":[{"@id":"{{address}}vulnerabilities.json","@type":"VulnerabilityInfo/6.7.0"}]}""",
            ["/vulnerabilities.json"] = $$"""[{"@name":"base","@id":"{{address}}base.json","@updated":"2026-01-01T00:00:00Z"}]""",
            ["/base.json"] = """{"npgsql":[{"url":"https://example.org/advisory","severity":2,"versions":"(, 999.0.0)"}]}""",
        };
        while (listener.IsListening)
        {
            var context = await listener.GetContextAsync();
            if (answers.TryGetValue(context.Request.Url!.AbsolutePath, out var answer)) await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(answer));
            else context.Response.StatusCode = 404;
            context.Response.Close();
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
