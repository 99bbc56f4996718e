using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ReplicaRouter;

/// <summary>What <c>/api/health</c> answers: every host and the router's counters.</summary>
/// <param name="Timestamp">When it was made.</param>
/// <param name="Status"><c>healthy</c> when every host of every router is, else <c>unhealthy</c>.</param>
/// <param name="Databases">The hosts of the router without a name.</param>
/// <param name="Metrics">The counters of that router.</param>
/// <param name="Routers">The further routers by name; <see langword="null"/> where there are none.</param>
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

/// <summary>How one router stands.</summary>
internal sealed record RouterReport(string Status, IReadOnlyDictionary<string, DatabaseReport> Databases, CountersReport Metrics)
{
    public const string Healthy = "healthy";
    public const string Unhealthy = "unhealthy";

    /// <param name="router">The router; null where there is none.</param>
    /// <param name="showsDetails">Whether the caller may see the texts of errors.</param>
    public static RouterReport From(DatabaseRouter? router, bool showsDetails) =>
        router is null ? new(Healthy, new Dictionary<string, DatabaseReport>(), new CountersReport(0, 0, null)) : From(router.GetHealthStatus(), router.GetMetrics(), showsDetails);

    /// <summary>Healthy means that every host is.</summary>
    public static RouterReport From(IReadOnlyDictionary<string, HostHealth> hosts, DatabaseRouterMetrics metrics, bool showsDetails) => new(
        hosts.Values.All(host => host.IsHealthy) ? Healthy : Unhealthy,
        hosts.ToDictionary(host => host.Key, host => DatabaseReport.From(host.Value, showsDetails)),
        new CountersReport(metrics.QueriesByHost.Values.Sum(routes => routes.Values.Sum()), metrics.Failovers, metrics.LastHealthCheck));
}

/// <param name="IsHealthy">Whether the host can serve what its role allows.</param>
/// <param name="LatencyMs">How long the last probe took.</param>
/// <param name="ReplicationLag">In milliseconds; <see langword="null"/>: not a replica, or not known.</param>
/// <param name="Role">As observed: <c>primary</c>, <c>replica</c> or <c>unknown</c>.</param>
/// <param name="Error">Why the host is not healthy: for those who may see it in words, for others its state.</param>
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

/// <summary>The report's shape is the same whatever the application's own JSON looks like.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(HealthReport))]
internal sealed partial class HealthReportContext : JsonSerializerContext;
