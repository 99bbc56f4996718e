using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using ReplicaRouter;

namespace Accounting.Operations;

/// <summary>Exports the metrics and traces of the router and Npgsql through OpenTelemetry; Prometheus scrapes <c>/metrics</c>.</summary>
internal static class Telemetry
{
    public static void AddTelemetry(this IServiceCollection services) => services.AddOpenTelemetry()
        .WithMetrics(metrics => metrics.AddMeter(DatabaseRouterTelemetry.MeterName, "Npgsql").AddPrometheusExporter())
        .WithTracing(traces => traces.AddSource(DatabaseRouterTelemetry.ActivitySourceName, "Npgsql"));
}
