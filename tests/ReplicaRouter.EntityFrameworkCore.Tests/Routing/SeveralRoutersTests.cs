using System.Globalization;
using System.Net;
using System.Text.Json;
using Dapper;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.TestHost;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using ReplicaRouter.Testing;

namespace ReplicaRouter.EntityFrameworkCore.Tests.Routing;

/// <summary>One web application over two clusters, with a router and a context for each.</summary>
public class SeveralRoutersTests(ClusterFixture fixture)
{
    private const string Token = "replica-router-token";
    private const string BillingToken = "replica-router-token-billing";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Contexts_data_sources_and_connections_use_the_cluster_of_their_own_router()
    {
        await using var billing = await StartClusterAsync();
        await using var app = await StartAsync(billing);
        using var client = app.GetTestClient();

        Assert.Contains(await PortAsync(client, "/orders/port"), PortsOf(fixture.Cluster, "analytics", "background"));
        Assert.Contains(await PortAsync(client, "/billing/port"), PortsOf(billing, "analytics", "background"));
        Assert.Contains(await PortAsync(client, "/billing/read"), PortsOf(billing, "analytics", "background"));
        Assert.Equal(billing["background"].Port, await PortAsync(client, "/billing/background"));
        Assert.Equal(billing.Primary.Port, await PortAsync(client, "/billing/silent"));
    }

    [Fact]
    public async Task Each_router_has_its_own_session_in_a_request()
    {
        await using var billing = await StartClusterAsync();
        await using var app = await StartAsync(billing);
        using var client = app.GetTestClient();
        await billing.WaitForReplicationAsync(Ct);
        foreach (var name in (string[])["analytics", "background"]) await billing[name].PauseReplayAsync(Ct);
        await fixture.WithReplayPausedAsync(async () =>
        {
            using var saved = await client.PostAsync("/both", null, Ct);
            var path = await saved.Content.ReadAsStringAsync(Ct);
            var (token, billingToken) = (saved.Headers.GetValues(Token).Single(), saved.Headers.GetValues(BillingToken).Single());

            Assert.Equal("True True", await GetAsync(client, path, (Token, token), (BillingToken, billingToken)));
            Assert.Equal("True False", await GetAsync(client, path, (Token, token)));
            Assert.Equal("False True", await GetAsync(client, path, (BillingToken, billingToken)));
            // A token is valid only for its own router.
            Assert.Equal("False False", await GetAsync(client, path, (Token, billingToken), (BillingToken, token)));
        });
    }

    [Fact]
    public async Task A_failover_of_one_cluster_does_not_affect_the_other()
    {
        await using var billing = await StartClusterAsync();
        await using var app = await StartAsync(billing);
        using var client = app.GetTestClient();
        using (var healthy = await HealthAsync(client, HttpStatusCode.OK))
        {
            Assert.Equal(4, healthy.RootElement.GetProperty("databases").EnumerateObject().Count());
            Assert.Equal(3, healthy.RootElement.GetProperty("routers").GetProperty("billing").GetProperty("databases").EnumerateObject().Count());
        }

        var before = app.Services.GetRequiredService<DatabaseRouter>().GetHealthStatus();
        await billing.Primary.KillAsync(Ct);
        await billing.PromoteAsync("background", cancellationToken: Ct);
        using var written = await client.PostAsync("/both", null, Ct);
        Assert.Equal(HttpStatusCode.OK, written.StatusCode);

        using var report = await HealthAsync(client, HttpStatusCode.ServiceUnavailable);
        Assert.Equal("unhealthy", report.RootElement.GetProperty("status").GetString());
        Assert.Equal("unhealthy", report.RootElement.GetProperty("routers").GetProperty("billing").GetProperty("status").GetString());
        Assert.All(report.RootElement.GetProperty("databases").EnumerateObject(), host => Assert.True(host.Value.GetProperty("isHealthy").GetBoolean(), host.Name));
        Assert.Equal(1, app.Services.GetRequiredKeyedService<DatabaseRouter>("billing").GetMetrics().Failovers);
        Assert.Equal(0, app.Services.GetRequiredService<DatabaseRouter>().GetMetrics().Failovers);
        Assert.Equal(before.Select(host => (host.Key, host.Value.Role)), app.Services.GetRequiredService<DatabaseRouter>().GetHealthStatus().Select(host => (host.Key, host.Value.Role)));
    }

    [Fact]
    public void A_context_of_an_unregistered_router_says_what_to_call()
    {
        using var services = new ServiceCollection().AddRoutedDbContext<OrdersDb>(router: "billing").BuildServiceProvider();
        var error = Assert.Throws<InvalidOperationException>(() => services.GetRequiredService<IDbContextFactory<OrdersDb>>().CreateDbContext());
        Assert.Equal("A routed context needs the router 'billing': call AddReplicaRouter(\"billing\") on the builder or its services.", error.Message);
    }

    private static async Task<LocalCluster> StartClusterAsync()
    {
        var cluster = await LocalCluster.StartAsync(new LocalClusterOptions { Replicas = [new() { Name = "analytics" }, new() { Name = "background" }] }, Ct);
        await cluster.CreateSchemaAsync();
        return cluster;
    }

    private async Task<WebApplication> StartAsync(LocalCluster billing)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseTestServer();
        builder.Configuration.AddInMemoryCollection(fixture.Cluster.EnvironmentVariables.Select(variable => KeyValuePair.Create(variable.Key, (string?)variable.Value)));
        builder.Configuration.AddInMemoryCollection(billing.EnvironmentVariables.Select(variable => KeyValuePair.Create($"BILLING_{variable.Key}", (string?)variable.Value)));
        // Called by their class: in this namespace the core's methods of the same name would take precedence.
        ReplicaRouterApplicationBuilderExtensions.AddReplicaRouter(builder, Configure);
        ReplicaRouterApplicationBuilderExtensions.AddReplicaRouter(builder, "billing", Configure);
        builder.Services.AddRoutedDbContext<OrdersDb>();
        builder.Services.AddRoutedDbContextPool<BillingDb>(router: "billing");
        var app = builder.Build();
        app.UseReplicaRouter();
        app.MapReplicaRouterHealth();
        Map(app);
        await app.StartAsync(Ct);
        DatabaseRouter[] routers = [app.Services.GetRequiredService<DatabaseRouter>(), app.Services.GetRequiredKeyedService<DatabaseRouter>("billing")];
        await TestExtensions.EventuallyAsync(() => routers.All(router => router.GetHealthStatus().Values.All(host => host.IsHealthy)), 30, "all healthy");
        return app;
    }

    private static void Configure(DatabaseRouterOptions options)
    {
        // Paused replicas keep serving, so that only the session, and not lag, keeps its reads away from them.
        options.MaxLag = TimeSpan.FromMinutes(10);
        options.Health.Interval = TimeSpan.FromMilliseconds(100);
    }

    private static void Map(WebApplication app)
    {
        app.MapGet("/orders/port", (OrdersDb db) => db.Topics.Select(_ => NotesDb.ServerPort()).FirstAsync());
        app.MapGet("/billing/port", (BillingDb db) => db.Topics.Select(_ => NotesDb.ServerPort()).FirstAsync());
        app.MapGet("/billing/read", async ([FromKeyedServices("billing:read")] RoutedDataSource source) =>
        {
            await using var connection = await source.OpenConnectionAsync();
            return await PortOfAsync(connection);
        });
        app.MapGet("/billing/background", ([FromKeyedServices(EndpointRoute.Key + ":billing")] NpgsqlConnection connection) => PortOfAsync(connection))
            .RouteTo(DatabaseOperation.Background, "billing").RouteTo(DatabaseOperation.Analytics);
        // A route that is stated for the other router does not count.
        app.MapGet("/billing/silent", ([FromKeyedServices(EndpointRoute.Key + ":billing")] NpgsqlConnection connection) => PortOfAsync(connection)).RouteTo(DatabaseOperation.Read);
        app.MapPost("/both", async (OrdersDb orders, BillingDb billing) =>
        {
            var (order, bill) = (new Note { Text = "an order" }, new Note { Text = "a bill" });
            orders.Add(order);
            billing.Add(bill);
            await orders.SaveChangesAsync();
            await billing.SaveChangesAsync();
            return string.Create(CultureInfo.InvariantCulture, $"/both/{order.Id}/{bill.Id}");
        });
        app.MapGet("/both/{order:long}/{bill:long}", async (long order, long bill, OrdersDb orders, BillingDb billing) =>
            $"{await orders.Notes.AnyAsync(note => note.Id == order)} {await billing.Notes.AnyAsync(note => note.Id == bill)}");
    }

    private static Task<int> PortOfAsync(NpgsqlConnection connection) => connection.QuerySingleAsync<int>("SELECT inet_server_port()");

    private static IEnumerable<int> PortsOf(LocalCluster cluster, params string[] servers) => servers.Select(name => cluster[name].Port);

    private static async Task<int> PortAsync(HttpClient client, string path) => int.Parse(await client.GetStringAsync(path, Ct), CultureInfo.InvariantCulture);

    private static async Task<string> GetAsync(HttpClient client, string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        foreach (var (name, value) in headers) request.Headers.Add(name, value);
        using var response = await client.SendAsync(request, Ct);
        return await response.Content.ReadAsStringAsync(Ct);
    }

    private static async Task<JsonDocument> HealthAsync(HttpClient client, HttpStatusCode expected)
    {
        using var response = await client.GetAsync("/api/health", Ct);
        Assert.Equal(expected, response.StatusCode);
        return await JsonDocument.ParseAsync(await response.Content.ReadAsStreamAsync(Ct), cancellationToken: Ct);
    }

    private sealed class OrdersDb(DbContextOptions<OrdersDb> options) : NotesDb(options);

    private sealed class BillingDb(DbContextOptions<BillingDb> options) : NotesDb(options);
}
