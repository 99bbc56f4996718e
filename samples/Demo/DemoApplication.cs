using System.Text.Json.Nodes;
using Accounting;
using Accounting.Documents;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ReplicaRouter;
using ReplicaRouter.Testing;

namespace Demo;

/// <summary>The accounting application, hosted in this process on a free port, with the demo's cluster.</summary>
internal sealed class DemoApplication : IAsyncDisposable
{
    private const string DashboardPath = "/replica-router";
    private const string OperatorPolicy = "operators";

    private readonly WebApplication _app;
    private readonly HttpClient _http = new();

    private DemoApplication(WebApplication app) => _app = app;

    public DatabaseRouter Router => _app.Services.GetRequiredService<DatabaseRouter>();
    public IServiceProvider Services => _app.Services;
    public string Address => _app.Urls.First();
    public string DashboardAddress => Address + DashboardPath;

    public static async Task<DemoApplication> StartAsync(LocalCluster cluster, CancellationToken cancellationToken)
    {
        // Ignores the environment: a DATABASE_URL or a .env file could point to real servers.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Services.AddRoutingCore();
        builder.Services.AddReplicaRouter(new ConfigurationBuilder().AddInMemoryCollection(Variables(cluster)).Build());
        builder.AddAccounting();
        // Anyone who can reach this page can operate the router: it listens only on 127.0.0.1, and the servers belong to the demo.
        // Anywhere else, the policy must check the user, for example with policy.RequireRole("operator").
        builder.Services.AddAuthorization(options => options.AddPolicy(OperatorPolicy, policy => policy.RequireAssertion(_ => true)));
        builder.Services.AddAntiforgery();
        // The demo's traffic processes the OCR queue itself and counts its operations.
        builder.Services.Remove(builder.Services.Single(service => service.ImplementationType == typeof(OcrWorker)));
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Logging.ClearProviders();

        var app = builder.Build();
        try
        {
            app.MapAccounting();
            app.MapReplicaRouterDashboard(DashboardPath, options => options.OperatorPolicy = OperatorPolicy);
            await app.PrepareDatabaseAsync(cancellationToken);
            // A read before the replicas have replayed the seed would find nothing.
            await cluster.WaitForReplicationAsync(cancellationToken);
            await app.StartAsync(cancellationToken);
            return new DemoApplication(app);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    /// <summary>Returns the body of <c>/api/health</c>, healthy or not.</summary>
    public async Task<JsonNode> GetHealthAsync()
    {
        using var response = await _http.GetAsync(new Uri(Address + "/api/health"));
        return JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _app.DisposeAsync();
    }

    private static IEnumerable<KeyValuePair<string, string?>> Variables(LocalCluster cluster) =>
        cluster.EnvironmentVariables.Select(variable => KeyValuePair.Create(variable.Key, (string?)variable.Value))
            // Four servers share the machine, so replicas can be slow: with the default wait, many reads after a write would go to the primary.
            .Append(new("ReplicaRouter:Routes:read:CatchUpWait", "00:00:01"));

    /// <summary>Ignores signals. They end the demo, which then stops the application.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;
        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
