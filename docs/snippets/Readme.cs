namespace Snippets.Readme;

internal static class Readme
{
    public static async Task OperationsAsync(DatabaseRouter router, long id, CancellationToken ct)
    {
        #region
        // Fully managed: routes, and runs a read again elsewhere when its host fails it. A write is never run twice.
        var client = await router.ExecuteAsync(DatabaseOperation.Read, (connection, ct) =>
            connection.QuerySingleAsync<Client>("SELECT * FROM client WHERE id = @id", new { id }), ct);

        // A connection of your own.
        await using var reports = await router.OpenConnectionAsync(DatabaseOperation.Analytics, ct);

        // A transaction on the primary. After a serialization failure or deadlock (40001, 40P01) it is run again.
        await router.WithTransactionAsync((transaction, ct) => PayAsync(transaction, ct), ct);

        // For whatever takes a data source; also [FromKeyedServices(DatabaseOperation.Read)] DbDataSource.
        DbDataSource source = router.GetDataSource(DatabaseOperation.Background);
        #endregion
    }

    public static async Task SessionAsync(DatabaseRouter router, CancellationToken ct)
    {
        #region
        using var session = router.BeginSession();                           // for a request, a job, a unit of work
        await router.ExecuteAsync(DatabaseOperation.Write, SaveAsync, ct);
        var saved = await router.ExecuteAsync(DatabaseOperation.Read, LoadAsync, ct);    // sees it, and usually from a replica
        string token = await session.GetTokenAsync(ct);                      // carry it to another process: router.BeginSession(token)
        #endregion
    }

    public static void Web(WebApplicationBuilder builder, WebApplication app, IServiceCollection services)
    {
        #region
        builder.AddReplicaRouter();                                          // package ReplicaRouter.AspNetCore
        app.UseReplicaRouter();                                              // each request is a session that follows the user, by a sealed cookie and a header
        app.MapReplicaRouterHealth();                                        // /api/health, /health/live, /health/ready
        app.MapReplicaRouterDashboard("/replica-router");                    // a live page, for this machine only until you say who may see it
        app.MapGet("/reports", Reports).RouteTo(DatabaseOperation.Analytics);
        services.AddHttpClient<Billing>().AddReplicaRouterSession();         // and from service to service
        #endregion
    }

    public static async Task OperateAsync(DatabaseRouter router)
    {
        #region
        router.GetHealthStatus();              // by host: IsHealthy, Latency, ReplicationLag, Error, Role, State, ...
        router.GetMetrics();                   // QueriesRouted, Failovers, Fallbacks with reasons, AverageLatency, LastHealthCheck
        await router.DrainAsync("analytics");  // no new work; returns when the connections in use are back
        await router.RestoreAsync("analytics");
        await router.ForceFailoverToPrimaryAsync();
        #endregion
    }

    private sealed record Client(long Id, string Name);

    private sealed class Billing(HttpClient client)
    {
        public HttpClient Client => client;
    }

    private static string Reports() => "";

    private static Task PayAsync(NpgsqlTransaction transaction, CancellationToken ct) => Task.CompletedTask;

    private static Task SaveAsync(NpgsqlConnection connection, CancellationToken ct) => Task.CompletedTask;

    private static Task<int> LoadAsync(NpgsqlConnection connection, CancellationToken ct) => Task.FromResult(1);
}
