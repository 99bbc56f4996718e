using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using ReplicaRouter;

// Outside our own namespaces, like applications: the namespace decides which AddReplicaRouter is called.
namespace AspNetCore.Tests;

public class HealthEndpointTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Starts an application whose server is unreachable, so that error texts contain its address.</summary>
    private static async Task<WebApplication> StartAsync(string? policy)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseSetting("urls", "http://127.0.0.1:0");
        builder.AddReplicaRouter(options => options.Hosts["primary"] = new DatabaseHostOptions { ConnectionString = "Host=127.0.0.1;Port=1" });
        builder.Services.AddAuthorizationBuilder().AddPolicy("operators", p => p.RequireAssertion(c => ((HttpContext)c.Resource!).Request.Headers.ContainsKey("X-Operator")));
        var app = builder.Build();
        app.MapReplicaRouterHealth(policy);
        await app.StartAsync(Ct);
        return app;
    }

    [Theory]
    [InlineData(null, true, false)]
    [InlineData("operators", false, false)]
    [InlineData("operators", true, true)]
    public async Task Error_texts_and_addresses_are_shown_only_to_callers_that_pass_the_policy(string? policy, bool isOperator, bool seesText)
    {
        await using var app = await StartAsync(policy);
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        if (isOperator) client.DefaultRequestHeaders.Add("X-Operator", "yes");
        using var response = await client.GetAsync("/api/health", Ct);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.True(response.Headers.CacheControl!.NoStore);
        var text = await response.Content.ReadAsStringAsync(Ct);
        Assert.Equal(seesText, text.Contains("127.0.0.1", StringComparison.Ordinal));
        if (!seesText) Assert.Equal("Down", (string?)JsonNode.Parse(text)!["databases"]!["primary"]!["error"]);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/health/live", Ct)).StatusCode);
        using var ready = await client.GetAsync("/health/ready", Ct);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "Unhealthy"), (ready.StatusCode, await ready.Content.ReadAsStringAsync(Ct)));
    }

    [Fact]
    public async Task A_policy_without_authorization_fails_at_the_start()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.AddReplicaRouter(options => options.Hosts["primary"] = new DatabaseHostOptions { ConnectionString = "Host=127.0.0.1;Port=1" });
        await using var app = builder.Build();
        Assert.Throws<InvalidOperationException>(() => app.MapReplicaRouterHealth("operators"));
    }
}
