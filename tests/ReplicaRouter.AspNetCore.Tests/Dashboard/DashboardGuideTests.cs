using System.Diagnostics;
using System.Net;
using System.Text;
using DashboardGuide;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using ReplicaRouter.RepositoryTests;

namespace ReplicaRouter.AspNetCore.Tests.Dashboard;

/// <summary>The programs on the guide's dashboard page protect the dashboard.</summary>
public class DashboardGuideTests
{
    private static readonly string[] s_args = ["--DATABASE_URL=postgresql://app@127.0.0.1:1/shop", "--urls=http://127.0.0.1:0", "--Dashboard:Password=secret", "--Logging:LogLevel:Default=None"];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_page_asks_for_the_password()
    {
        using var process = StartProgram();
        try
        {
            using var client = new HttpClient { BaseAddress = await ListeningAddress.OfAsync(process) };
            foreach (var (credentials, expected) in new[] { (null, 401), ("operator:wrong", 401), ("no-colon", 401), ("operator:secret", 200) })
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, "/replica-router/");
                if (credentials is not null) request.Headers.TryAddWithoutValidation("Authorization", $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials))}");
                using var response = await client.SendAsync(request, Ct);
                Assert.Equal((credentials, expected), (credentials, (int)response.StatusCode));
                if (expected == 401) Assert.Equal("Basic", response.Headers.WwwAuthenticate.Single().Scheme);
                else Assert.Contains("operator-token", await response.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
            }
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }
    }

    [Theory]
    [InlineData("/replica-router/", 8080, 404)]
    [InlineData("/replica-router/", 8081, 200)]
    [InlineData("/replica-router/events", 8080, 404)]
    [InlineData("/health/live", 8080, 404)]
    [InlineData("/health/live", 8081, 200)]
    [Trait("Failure", "C7")]
    public async Task The_page_answers_only_at_its_port_regardless_of_the_Host_header(string path, int port, int expected)
    {
        await using var app = Programs.OnItsOwnPort(s_args, host => host.UseTestServer());
        await app.StartAsync(Ct);
        var context = await app.GetTestServer().SendAsync(request =>
        {
            request.Request.Path = path;
            request.Request.Host = new HostString("x", 8081);
            request.Connection.LocalPort = port;
            request.Connection.RemoteIpAddress = IPAddress.Parse("10.1.2.3");
        }, Ct);
        Assert.Equal(expected, context.Response.StatusCode);
    }

    private static Process StartProgram()
    {
        var tests = Path.Combine(AppContext.BaseDirectory, typeof(DashboardGuideTests).Assembly.GetName().Name!);
        string[] command = ["exec", "--runtimeconfig", $"{tests}.runtimeconfig.json", "--depsfile", $"{tests}.deps.json", Path.Combine(AppContext.BaseDirectory, "ProtectedDashboard.dll")];
        return Process.Start(new ProcessStartInfo("dotnet", [.. command, .. s_args, "--Logging:LogLevel:Microsoft.Hosting.Lifetime=Information"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
    }
}
