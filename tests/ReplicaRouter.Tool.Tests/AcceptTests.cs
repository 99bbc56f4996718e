using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ReplicaRouter.Testing;
using ReplicaRouter.Tool.Accept;

namespace ReplicaRouter.Tool.Tests;

/// <summary>Orders to a running application, by its dashboard, over real servers.</summary>
public sealed class AcceptTests
{
    private const string Secret = "operators only";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_running_application_accepts_the_old_primary_after_a_promotion_by_mistake()
    {
        await using var cluster = await LocalCluster.StartAsync(new LocalClusterOptions { Replicas = [new LocalReplicaOptions { Name = "dr" }] }, Ct);
        await using var app = await StartAsync(cluster);
        var router = app.Services.GetRequiredService<DatabaseRouter>();
        await router.WaitUntilReadyAsync(TimeSpan.FromSeconds(10), Ct);
        await cluster["dr"].PromoteAsync(Ct);
        while (router.GetHealthStatus()["primary"].State != HostState.Fenced) await Task.Delay(20, Ct);
        var address = $"{app.Urls.First()}/replica-router";

        var refused = await ToolRun.Async("accept", "primary", "--app", address, "--yes");
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains(RunningApplication.TokenVariable, refused.Error, StringComparison.Ordinal);
        Assert.Equal(HostState.Fenced, router.GetHealthStatus()["primary"].State);

        Environment.SetEnvironmentVariable(RunningApplication.TokenVariable, Secret);
        try
        {
            var accepted = await ToolRun.Async("accept", "primary", "--app", address, "--yes");
            Assert.Equal("", accepted.Error);
            Assert.Equal(0, accepted.ExitCode);
            Assert.Contains("primary takes writes: system identifier ", accepted.Output, StringComparison.Ordinal);
            Assert.Contains("dr is on timeline 2 and gets no traffic", accepted.Output, StringComparison.Ordinal);
            Assert.Equal((HostState.Healthy, HostState.Fenced), (router.GetHealthStatus()["primary"].State, router.GetHealthStatus()["dr"].State));
            Assert.Contains("There is no host 'nobody'", (await ToolRun.Async("accept", "nobody", "--app", address, "--yes")).Error, StringComparison.Ordinal);
        }
        finally
        {
            Environment.SetEnvironmentVariable(RunningApplication.TokenVariable, null);
        }

        // Without an application it tells what one that starts now would believe.
        var explained = await ToolRun.Async("accept", "primary", "--url", cluster["primary"].Url, "--url", $"dr={cluster["dr"].Url}");
        Assert.Contains("Nothing was ordered", explained.Error, StringComparison.Ordinal);
        Assert.Equal(0, explained.ExitCode);
        Assert.Contains("timeline 2 for the cluster's, and dr for the primary", explained.Output, StringComparison.Ordinal);
    }

    private static async Task<WebApplication> StartAsync(LocalCluster cluster)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddReplicaRouter(options =>
        {
            foreach (var server in cluster.Servers) options.Hosts[server.Name] = new HostOptions { ConnectionString = server.Url };
        });
        builder.Services.AddAuthentication("bearer").AddScheme<AuthenticationSchemeOptions, BearerAuthentication>("bearer", null);
        builder.Services.AddAuthorizationBuilder().AddPolicy("operators", policy => policy.RequireAuthenticatedUser());
        builder.Services.AddAntiforgery();
        var app = builder.Build();
        app.UseAuthentication();
        app.UseAuthorization();
        app.MapReplicaRouterDashboard("/replica-router", options => options.OperatorPolicy = "operators");
        await app.StartAsync(Ct);
        return app;
    }

    private sealed class BearerAuthentication(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync() => Task.FromResult(Request.Headers.Authorization == $"Bearer {Secret}"
            ? AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.Name, "ada"), new Claim(ClaimTypes.NameIdentifier, "ada")], "bearer")), "bearer"))
            : AuthenticateResult.NoResult());
    }
}
