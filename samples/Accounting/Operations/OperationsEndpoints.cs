using System.Globalization;
using ReplicaRouter;

namespace Accounting.Operations;

/// <summary>The router's state for operators, and the order that a failover test needs.</summary>
internal static class OperationsEndpoints
{
    public static void MapOperations(this WebApplication app)
    {
        app.MapGet("/operations/metrics", (DatabaseRouter router) =>
        {
            var metrics = router.GetMetrics();
            return new
            {
                QueriesRouted = metrics.QueriesRouted.ToDictionary(queries => DatabaseRoute.FromDatabaseOperation(queries.Key).Name, queries => queries.Value),
                metrics.QueriesByHost,
                metrics.Failovers,
                metrics.Fallbacks,
                AverageLatency = metrics.AverageLatency.ToDictionary(host => host.Key, host => host.Value.TotalMilliseconds),
                metrics.LastHealthCheck,
            };
        });

        app.MapGet("/operations/hosts", (DatabaseRouter router) =>
            router.GetHealthStatus().ToDictionary(host => host.Key, host => Describe(host.Value)));

        // This sends all reads to the primary. Outside development it would need authorization.
        if (app.Environment.IsDevelopment())
        {
            app.MapPost("/operations/failover", async (DatabaseRouter router, CancellationToken cancellationToken) =>
            {
                await router.ForceFailoverToPrimaryAsync(cancellationToken);
                return Results.Accepted("/operations/hosts");
            });
        }
    }

    private static string Describe(HostHealth host) => string.Create(CultureInfo.InvariantCulture,
        $"{(host.IsHealthy ? "healthy" : host.Error)}, latency {host.Latency.TotalMilliseconds:0.00} ms, replication lag {(host.ReplicationLag is { } lag ? $"{lag.TotalMilliseconds:0} ms" : "N/A")}");
}
