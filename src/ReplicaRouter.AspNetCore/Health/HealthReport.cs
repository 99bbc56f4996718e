using System.Text.Json;
using System.Text.Json.Serialization;

namespace ReplicaRouter;

/// <summary>What <c>/api/health</c> answers: every host and the router's counters.</summary>
internal sealed record HealthReport(DateTimeOffset Timestamp, string Status, IReadOnlyDictionary<string, DatabaseReport> Databases, CountersReport Metrics)
{
    [JsonIgnore]
    public bool IsHealthy => Status == "healthy";

    public static HealthReport From(DatabaseRouter router, TimeProvider time, bool showsDetails) =>
        From(router.GetHealthStatus(), router.GetMetrics(), time.GetUtcNow(), showsDetails);

    /// <summary>Healthy means that every host is.</summary>
    public static HealthReport From(IReadOnlyDictionary<string, HostHealth> hosts, DatabaseRouterMetrics metrics, DateTimeOffset now, bool showsDetails) => new(
        now,
        hosts.Values.All(host => host.IsHealthy) ? "healthy" : "unhealthy",
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
