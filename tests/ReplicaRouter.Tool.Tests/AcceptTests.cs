using System.Security.Claims;
using System.Text;
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

/// <summary>Orders to a running application through its dashboard, over real servers.</summary>
public sealed class AcceptTests
{
    private const string Secret = "operators only";
    private const string Password = "p@ss:wörd";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_running_application_accepts_the_old_primary_after_a_mistaken_promotion()
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
        Assert.Contains($"Its dashboard needs OperatorPolicy, and 'accept' needs credentials that satisfy it: a bearer token in the variable {RunningApplication.TokenVariable}, or a user and password in the URL", refused.Error, StringComparison.Ordinal);
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
            Assert.Contains("until that process ends", accepted.Output, StringComparison.Ordinal);
            Assert.Contains("stop or rebuild the abandoned servers", accepted.Output, StringComparison.Ordinal);
            Assert.Equal("There is no host 'nobody'. The hosts are: primary, dr.", (await ToolRun.Async("accept", "nobody", "--app", address, "--yes")).Error.Trim());
        }
        finally
        {
            Environment.SetEnvironmentVariable(RunningApplication.TokenVariable, null);
        }

        // Without an application, the command shows what one that starts now would believe.
        var explained = await ToolRun.Async("accept", "primary", "--url", cluster["primary"].Url, "--url", $"dr={cluster["dr"].Url}");
        Assert.Contains("Nothing was changed", explained.Error, StringComparison.Ordinal);
        Assert.Equal(0, explained.ExitCode);
        Assert.Contains("timeline 2 as the cluster's, and dr as the primary", explained.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("operator:p%40ss%3Aw%C3%B6rd", 0)]
    [InlineData("operator:wr0ng", 2)]
    public async Task The_user_and_password_of_the_URL_are_sent_as_Basic_authentication_and_not_shown(string userInfo, int exitCode)
    {
        await using var cluster = await LocalCluster.StartAsync(new LocalClusterOptions { Replicas = [] }, Ct);
        await using var app = await StartAsync(cluster);
        await app.Services.GetRequiredService<DatabaseRouter>().WaitUntilReadyAsync(TimeSpan.FromSeconds(10), Ct);
        var address = $"{app.Urls.First()}/replica-router".Replace("://", $"://{userInfo}@", StringComparison.Ordinal);

        var run = await ToolRun.Async("accept", "primary", "--app", address, "--yes");
        Assert.True(exitCode == run.ExitCode, run.Error);
        Assert.DoesNotContain(userInfo.Split(':')[1], run.Output + run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(Password, run.Output + run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_nothing_listens_the_error_says_what_to_do_without_the_password()
    {
        var run = await ToolRun.Async("accept", "primary", "--app", "http://operator:s3cret@127.0.0.1:1/replica-router", "--yes");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("127.0.0.1:1", run.Error, StringComparison.Ordinal);
        Assert.Contains("Start the application, or correct --app.", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", run.Output + run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ftp://operator:s3cret@shop/replica-router")]
    [InlineData("http://operator:12/s3cret@shop/replica-router")]
    [InlineData("http://operator:12?s3cret@shop/replica-router")]
    [InlineData("http://operator:12#s3cret@shop/replica-router")]
    public async Task An_address_with_an_unencoded_password_is_refused_without_repeating_it(string address)
    {
        var run = await ToolRun.Async("accept", "primary", "--app", address, "--yes");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("--app takes the address of a dashboard", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", run.Output + run.Error, StringComparison.Ordinal);
    }

    private static async Task<WebApplication> StartAsync(LocalCluster cluster)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddReplicaRouter(options =>
        {
            foreach (var server in cluster.Servers) options.Hosts[server.Name] = new DatabaseHostOptions { ConnectionString = server.Url };
        });
        builder.Services.AddAuthentication("operators").AddScheme<AuthenticationSchemeOptions, OperatorAuthentication>("operators", null);
        builder.Services.AddAuthorizationBuilder().AddPolicy("operators", policy => policy.RequireAuthenticatedUser());
        builder.Services.AddAntiforgery();
        var app = builder.Build();
        app.UseAuthentication();
        app.UseAuthorization();
        app.MapReplicaRouterDashboard("/replica-router", options => options.OperatorPolicy = "operators");
        await app.StartAsync(Ct);
        return app;
    }

    private sealed class OperatorAuthentication(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
    {
        private static readonly string s_login = Convert.ToBase64String(Encoding.UTF8.GetBytes($"operator:{Password}"));

        protected override Task<AuthenticateResult> HandleAuthenticateAsync() => Task.FromResult(Request.Headers.Authorization == $"Bearer {Secret}" || Request.Headers.Authorization == $"Basic {s_login}"
            ? AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.Name, "ada"), new Claim(ClaimTypes.NameIdentifier, "ada")], "operators")), "operators"))
            : AuthenticateResult.NoResult());
    }
}
