using System.Text.Json.Serialization;
using ReplicaRouter;

namespace Accounting.Operations;

/// <summary>What <c>/api/health</c> answers: every host and the router's counters.</summary>
public sealed record HealthReport(
    DateTimeOffset Timestamp,
    string Status,
    IReadOnlyDictionary<string, DatabaseHealth> Databases,
    HealthMetrics Metrics)
{
    [JsonIgnore]
    public bool IsHealthy => Status == "healthy";

    public static HealthReport From(DatabaseRouter router, TimeProvider time) =>
        From(router.GetHealthStatus(), router.GetMetrics(), time.GetUtcNow());

    /// <summary>Healthy means that every host is; no host at all is not healthy.</summary>
    public static HealthReport From(IReadOnlyDictionary<string, HostHealth> hosts, RouterMetrics metrics, DateTimeOffset now) => new(
        now,
        hosts.Count > 0 && hosts.Values.All(host => host.IsHealthy) ? "healthy" : "unhealthy",
        hosts.ToDictionary(host => host.Key, host => DatabaseHealth.From(host.Value)),
        new HealthMetrics(metrics.QueriesRouted.Values.Sum(), metrics.Failovers, metrics.LastHealthCheck));
}

/// <param name="LatencyMs">How long the last probe took.</param>
/// <param name="ReplicationLag">In milliseconds; <see langword="null"/>: not a replica, or not known.</param>
/// <param name="Role">As observed: <c>primary</c>, <c>replica</c> or <c>unknown</c>.</param>
public sealed record DatabaseHealth(bool IsHealthy, double LatencyMs, double? ReplicationLag, string Role, string? Error)
{
    public static DatabaseHealth From(HostHealth host) => new(
        host.IsHealthy,
        host.LatencyMs,
        host.ReplicationLagMs,
        host.Role switch { HostRole.Primary => "primary", HostRole.Replica => "replica", _ => "unknown" },
        host.Error);
}

public sealed record HealthMetrics(long TotalQueries, long Failovers, DateTimeOffset? LastHealthCheck);
