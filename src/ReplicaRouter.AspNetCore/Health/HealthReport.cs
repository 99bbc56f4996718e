using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ReplicaRouter;

/// <summary>The response body of <c>/api/health</c>: every host, and the counters of each router.</summary>
/// <param name="Timestamp">When the report was made.</param>
/// <param name="Status"><c>healthy</c> when every host of every router is, else <c>unhealthy</c>.</param>
/// <param name="Databases">The hosts of the unnamed router.</param>
/// <param name="Metrics">The counters of the unnamed router.</param>
/// <param name="Routers">The named routers; <see langword="null"/> if there are none.</param>
internal sealed record HealthReport(
    DateTimeOffset Timestamp, string Status, IReadOnlyDictionary<string, DatabaseReport> Databases, CountersReport Metrics,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyDictionary<string, RouterReport>? Routers)
{
    [JsonIgnore]
    public bool IsHealthy => Status == RouterReport.Healthy;

    public static HealthReport From(ImmutableArray<WebRouter> routers, DateTimeOffset now, bool showsDetails)
    {
        var unnamed = RouterReport.From(routers.FirstOrDefault(router => router.Name is null)?.Router, showsDetails);
        var named = routers.Where(router => router.Name is not null).ToDictionary(router => router.Name!, router => RouterReport.From(router.Router, showsDetails));
        return Of(unnamed, named, now);
    }

    public static HealthReport Of(RouterReport unnamed, IReadOnlyDictionary<string, RouterReport> named, DateTimeOffset now) => new(
        now,
        named.Values.Append(unnamed).All(report => report.Status == RouterReport.Healthy) ? RouterReport.Healthy : RouterReport.Unhealthy,
        unnamed.Databases,
        unnamed.Metrics,
        named.Count == 0 ? null : named);
}

/// <summary>The health of one router.</summary>
internal sealed record RouterReport(string Status, IReadOnlyDictionary<string, DatabaseReport> Databases, CountersReport Metrics)
{
    public const string Healthy = "healthy";
    public const string Unhealthy = "unhealthy";

    /// <param name="router">The router; null if there is none.</param>
    /// <param name="showsDetails">Whether the caller may see error texts.</param>
    public static RouterReport From(DatabaseRouter? router, bool showsDetails) =>
        router is null ? new(Healthy, new Dictionary<string, DatabaseReport>(), new CountersReport(0, 0, null)) : From(router.GetHealthStatus(), router.GetMetrics(), showsDetails);

    /// <summary>Healthy only if every host is.</summary>
    public static RouterReport From(IReadOnlyDictionary<string, HostHealth> hosts, DatabaseRouterMetrics metrics, bool showsDetails) => new(
        hosts.Values.All(host => host.IsHealthy) ? Healthy : Unhealthy,
        hosts.ToDictionary(host => host.Key, host => DatabaseReport.From(host.Value, showsDetails)),
        new CountersReport(metrics.QueriesByHost.Values.Sum(routes => routes.Values.Sum()), metrics.Failovers, metrics.LastHealthCheck));
}

/// <param name="IsHealthy">Whether the host can serve what its role allows.</param>
/// <param name="LatencyMs">Duration of the last probe, in ms.</param>
/// <param name="ReplicationLag">In ms; <see langword="null"/> if the host is no replica, or the lag is unknown.</param>
/// <param name="Role">As observed: <c>primary</c>, <c>replica</c> or <c>unknown</c>.</param>
/// <param name="Error">Why the host is not healthy: the error text for callers who may see it, else the state.</param>
internal sealed record DatabaseReport(bool IsHealthy, double LatencyMs, double? ReplicationLag, string Role, string? Error)
{
    public static DatabaseReport From(HostHealth host, bool showsDetails) => new(
        host.IsHealthy,
        host.Latency.TotalMilliseconds,
        host.ReplicationLag?.TotalMilliseconds,
        host.Role switch { HostRole.Primary => "primary", HostRole.Replica => "replica", _ => "unknown" },
        host.IsHealthy ? null : showsDetails && host.Error is { } error ? error : host.State.ToString());
}

internal sealed record CountersReport(long TotalQueries, long Failovers, DateTimeOffset? LastHealthCheck);

/// <summary>Keeps the report's shape independent of the application's JSON options.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(HealthReport))]
internal sealed partial class HealthReportContext : JsonSerializerContext;
