using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using ReplicaRouter;

namespace Accounting.Operations;

/// <summary>The router's metrics and traces through OpenTelemetry, beside Npgsql's own; <c>/metrics</c> is for Prometheus.</summary>
internal static class Telemetry
{
    public static void AddTelemetry(this IServiceCollection services) => services.AddOpenTelemetry()
        .WithMetrics(metrics => metrics.AddMeter(DatabaseRouterTelemetry.MeterName, "Npgsql").AddPrometheusExporter())
        .WithTracing(traces => traces.AddSource(DatabaseRouterTelemetry.ActivitySourceName, "Npgsql"));
}
