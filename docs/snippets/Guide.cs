using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Snippets.Guide;

internal static class Consistencies
{
    public static async Task AmbientAsync(DatabaseRouter router, CancellationToken ct)
    {
        #region
        using var session = router.BeginSession();                          // ambient: covers this code and all that it awaits and starts
        await router.ExecuteAsync(DatabaseOperation.Write, SaveAsync, ct);
        var order = await router.ExecuteAsync(DatabaseOperation.Read, LoadAsync, ct);   // sees what was saved
        #endregion
    }

    public static async Task ExplicitAsync(DatabaseRouter router, CancellationToken ct)
    {
        #region
        var session = router.CreateSession();                               // explicit: covers the calls that are given it
        await router.ExecuteAsync(DatabaseOperation.Read, LoadAsync, new OperationOptions { Session = session }, ct);
        #endregion
    }

    public static async Task SendAsync(DatabaseSession session, Message message, CancellationToken ct)
    {
        #region
        await session.WriteToAsync(message.Headers, ct);                    // sender: adds replica-router-token
        #endregion
    }

    public static void Handle(DatabaseRouter router, Message message)
    {
        #region
        using var session = router.BeginSession(message.Headers);           // handler: the job never runs before its row is visible to it
        #endregion
    }

    public sealed class Orders(DatabaseRouter router)
    {
        #region
        public async IAsyncEnumerable<Order> OrdersAsync(DatabaseSession session)
        {
            for (var page = 0; await LoadPageAsync(router, new OperationOptions { Session = session }, page) is { Count: > 0 } orders; page++)
            {
                foreach (var order in orders) yield return order;
            }
        }
        #endregion

        public static async IAsyncEnumerable<Order> EnteredAsync(DatabaseSession session, object context)
        {
            #region
            List<Order> orders;
            using (session.Enter()) orders = await LoadOrdersAsync(context);
            foreach (var order in orders) yield return order;
            #endregion
        }

        private static Task<List<Order>> LoadPageAsync(DatabaseRouter router, OperationOptions options, int page) =>
            router.ExecuteAsync(DatabaseOperation.Read, (_, _) => Task.FromResult<List<Order>>(page == 0 ? [new Order(1)] : []), options);

        private static Task<List<Order>> LoadOrdersAsync(object context) => Task.FromResult<List<Order>>([new Order(context.GetHashCode())]);
    }

    public sealed record Order(int Id);

    public sealed record Message(Dictionary<string, string> Headers);

    private static Task SaveAsync(NpgsqlConnection connection, CancellationToken ct) => Task.CompletedTask;

    private static Task<int> LoadAsync(NpgsqlConnection connection, CancellationToken ct) => Task.FromResult(1);
}

internal static class Web
{
    public static void Application(string[] args)
    {
        #region
        var builder = WebApplication.CreateBuilder(args);
        builder.AddReplicaRouter();                       // the router, and what the rest of this page needs

        var app = builder.Build();
        app.UseReplicaRouter();                           // each request is a session, which follows the user
        app.MapReplicaRouterHealth();                     // /api/health, /health/live, /health/ready
        app.MapGet("/reports", Reports).RouteTo(DatabaseOperation.Analytics);
        #endregion
    }

    public static void SeveralClusters(WebApplicationBuilder builder, WebApplication app)
    {
        #region
        builder.AddReplicaRouter();                       // DATABASE_URL, DATABASE_READ_REPLICA_1_URL, ...
        builder.AddReplicaRouter("billing", options => options.ConfigureDataSource = source => source.EnableDynamicJson());   // BILLING_DATABASE_URL, ...
        builder.Services.AddReplicaRouterWeb("billing", options => options.RequiredOperations = []);    // ready without billing, too
        builder.Services.AddRoutedDbContext<ShopContext>();
        builder.Services.AddRoutedDbContext<BillingContext>(npgsql => npgsql.EnableRetryOnFailure(), router: "billing");
        #endregion

        #region
        app.MapGet("/invoices", ([FromKeyedServices(EndpointRoute.Key + ":billing")] NpgsqlConnection connection) =>
            connection.ExecuteScalarAsync<long>("SELECT count(*) FROM invoice"))      // of Dapper
            .RouteTo(DatabaseOperation.Read, "billing").RouteTo(DatabaseOperation.Analytics);
        #endregion
    }

    public static async Task DatabasesAsync(DatabaseRouter router, Tenant tenant, IServiceCollection services, CancellationToken ct)
    {
        #region
        DatabaseRouter shop = router.ForDatabase(tenant.Database);            // the same router each time
        var orders = await shop.ExecuteAsync(DatabaseOperation.Read, LoadAsync, ct);

        services.AddDbContext<ShopContext>((provider, options) =>
            options.UseReplicaRouter(provider.GetRequiredService<DatabaseRouter>().ForDatabase(provider.GetRequiredService<Tenant>().Database)));
        #endregion
    }

    public static void RoutersOfTests(IServiceCollection services, DatabaseRouter router, DatabaseRouter billing)
    {
        #region
        services.AddSingleton(router);
        services.AddKeyedSingleton("billing", billing);     // for the router of this name
        #endregion
    }

    private static Task<int> LoadAsync(NpgsqlConnection connection, CancellationToken ct) => Task.FromResult(1);

    public sealed record Tenant(string Database);

    private sealed class ShopContext(DbContextOptions<ShopContext> options) : DbContext(options);

    private sealed class BillingContext(DbContextOptions<BillingContext> options) : DbContext(options);

    public static void Clients(IServiceCollection services)
    {
        #region
        services.AddHttpClient<Billing>().AddReplicaRouterSession();
        services.AddGrpcClient<Ledger.LedgerClient>().AddReplicaRouterSession();
        #endregion
    }

    public static void Endpoints(WebApplication app)
    {
        #region
        app.MapGet("/tables", ([FromKeyedServices(EndpointRoute.Key)] NpgsqlConnection connection) =>
            connection.ExecuteScalarAsync<long>("SELECT count(*) FROM pg_stat_user_tables"))
            .RouteTo(DatabaseOperation.Analytics);
        #endregion
    }

    public static void Exposure(WebApplication app)
    {
        #region
        app.MapReplicaRouterHealth("operators").RequireLocalPort(8081);
        app.MapReplicaRouterDashboard("/replica-router").RequireAuthorization("staff");
        #endregion
    }

    public static void Dashboard(WebApplicationBuilder builder)
    {
        #region
        builder.AddReplicaRouter();
        var app = builder.Build();
        app.MapReplicaRouterDashboard("/replica-router");
        #endregion
    }

    public static void DashboardForOperators(WebApplicationBuilder builder, WebApplication app)
    {
        #region
        builder.Services.AddAuthorizationBuilder().AddPolicy("operators", policy => policy.RequireRole("operator"));
        builder.Services.AddAntiforgery();
        // ...
        app.MapReplicaRouterDashboard("/replica-router", options => options.OperatorPolicy = "operators").RequireAuthorization("staff");
        #endregion
    }

    public static void Telemetry(IHostApplicationBuilder builder)
    {
        #region
        builder.Services.AddOpenTelemetry()
            .WithMetrics(metrics => metrics.AddMeter(DatabaseRouterTelemetry.MeterName, "Npgsql").AddPrometheusExporter())
            .WithTracing(traces => traces.AddSource(DatabaseRouterTelemetry.ActivitySourceName, "Npgsql").AddOtlpExporter());
        #endregion
    }

    private static string Reports() => "";

    public sealed class Billing(HttpClient client)
    {
        public HttpClient Client => client;
    }

    public static class Ledger
    {
        public sealed class LedgerClient(Grpc.Core.CallInvoker invoker)
        {
            public Grpc.Core.CallInvoker Invoker => invoker;
        }
    }

    #region
    [RouteTo(DatabaseOperation.Background)]           // controllers and actions
    public class JobsController([FromKeyedServices(EndpointRoute.Key)] DbDataSource database) : ControllerBase
    #endregion
    {
        public DbDataSource Database => database;
    }
}

internal static class Options
{
    public static void InCode(IHostApplicationBuilder builder)
    {
        #region
        builder.AddReplicaRouter(options =>
        {
            options.MaxLag = TimeSpan.FromSeconds(5);
            options.Hosts["reports"] = new DatabaseHostOptions { ConnectionString = "Host=db-7;Database=shop;Username=app", Groups = { "reports" }, Labels = { "zone=eu-1" } };
            options.Routes["export"] = new DatabaseRouteOptions { Groups = { "reports", "analytics" }, MaxLag = TimeSpan.FromMinutes(5) };
        });
        #endregion
    }

    public static void MultiHost(IHostApplicationBuilder builder)
    {
        #region
        builder.AddReplicaRouter(options => options.Hosts["primary"] = new DatabaseHostOptions { ConnectionString = "Host=db-1,db-2,db-3;Database=shop;Username=app" });
        #endregion
    }

    public static void TwoDataSources(IHostApplicationBuilder builder)
    {
        #region
        builder.AddReplicaRouter();
        builder.Services.AddSingleton(services => new Databases(
            Writes: services.GetRequiredKeyedService<DbDataSource>(DatabaseOperation.Write),
            Reads: services.GetRequiredKeyedService<DbDataSource>(DatabaseOperation.Read)));
        #endregion
    }

    private sealed record Databases(DbDataSource Writes, DbDataSource Reads);
}
