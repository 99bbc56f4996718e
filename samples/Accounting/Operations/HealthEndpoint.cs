using ReplicaRouter;

namespace Accounting.Operations;

internal static class HealthEndpoint
{
    /// <summary>200 when all hosts are healthy, 503 when one is not. For people and dashboards: one sick replica must not take an application out.</summary>
    public static void MapHealth(this IEndpointRouteBuilder app) => app.MapGet("/api/health", (DatabaseRouter router, TimeProvider time) =>
    {
        var report = HealthReport.From(router, time);
        return Results.Json(report, statusCode: report.IsHealthy ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
    });
}
