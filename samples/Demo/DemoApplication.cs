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

/// <summary>The accounting application in this process, on a free port, over the cluster.</summary>
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
        // Nothing of the surroundings: a DATABASE_URL or a .env file here would lead to somebody's real servers.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Services.AddRoutingCore();
        builder.Services.AddReplicaRouter(new ConfigurationBuilder().AddInMemoryCollection(Variables(cluster)).Build());
        builder.AddAccounting();
        // Whoever reaches this page may operate the router: it listens on 127.0.0.1 alone, and the servers are the demo's own.
        // Anywhere else the policy asks who it is, as in policy.RequireRole("operator").
        builder.Services.AddAuthorization(options => options.AddPolicy(OperatorPolicy, policy => policy.RequireAssertion(_ => true)));
        builder.Services.AddAntiforgery();
        // The traffic processes the OCR queue itself, and counts what it does.
        builder.Services.Remove(builder.Services.Single(service => service.ImplementationType == typeof(OcrWorker)));
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Logging.ClearProviders();

        var app = builder.Build();
        try
        {
            app.MapAccounting();
            app.MapReplicaRouterDashboard(DashboardPath, options => options.OperatorPolicy = OperatorPolicy);
            await app.PrepareDatabaseAsync(cancellationToken);
            // A read that came before the seed has been replayed would find nothing.
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

    /// <summary>What <c>/api/health</c> answers, healthy or not.</summary>
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
            // Four servers share the machine: a read after a write would rather go to the primary than wait for a busy replica.
            .Append(new("ReplicaRouter:Routes:read:CatchUpWait", "00:00:01"));

    /// <summary>Signals end the demo, which ends the application: the application must not end by itself before.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;
        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
