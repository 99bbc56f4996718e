using Accounting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using ReplicaRouter.Testing;

namespace ReplicaRouter.AspNetCore.Tests;

/// <summary>The accounting sample on a free port over a real cluster, in the production environment, where no caller may see details.</summary>
public sealed class SampleFixture : IAsyncLifetime
{
    private WebApplication _app = null!;

    public LocalCluster Cluster { get; private set; } = null!;
    public Uri Address => new(_app.Urls.First());
    public IServiceProvider Services => _app.Services;
    public DatabaseRouter Router => _app.Services.GetRequiredService<DatabaseRouter>();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Cluster = await LocalCluster.StartAsync(cancellationToken: Ct);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Services.AddRoutingCore();
        builder.Services.AddReplicaRouter(new ConfigurationBuilder().AddInMemoryCollection(Settings()).Build());
        builder.AddAccounting();
        _app = builder.Build();
        _app.MapAccounting();
        await _app.PrepareDatabaseAsync(Ct);
        await Cluster.WaitForReplicationAsync(Ct);
        await _app.StartAsync(Ct);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        await Cluster.DisposeAsync();
    }

    /// <summary>Waits until a condition holds.</summary>
    public static async Task EventuallyAsync(Func<Task<bool>> condition, Func<string> what)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(30), $"{what()}: not within 30 s");
            await Task.Delay(50, Ct);
        }
    }

    private IEnumerable<KeyValuePair<string, string?>> Settings() => Cluster.EnvironmentVariables.Select(variable => KeyValuePair.Create(variable.Key, (string?)variable.Value))
        .Concat(new Dictionary<string, string?>
        {
            // Paused replicas keep serving, so that only the session, and not lag, keeps its reads away from them.
            ["ReplicaRouter:Routes:read:MaxLag"] = "00:10:00",
            ["ReplicaRouter:Health:Interval"] = "00:00:00.2",
            ["ReplicaRouter:MaxLag"] = "00:00:03",
            // A source that never answers only increases a counter.
            ["ReplicaRouter:Discovery:Dns:Name"] = "replicas.test",
            ["ReplicaRouter:Discovery:Dns:Nameserver"] = "127.0.0.1:1",
        });
}
