using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace ReplicaRouter;

/// <summary>
/// Unhealthy only while a required operation cannot be served. One unhealthy host only degrades it: a sick replica must not take the
/// application down. Uses the router's current state and queries no database.
/// </summary>
internal sealed class ReadinessCheck(WebRouter router) : IHealthCheck
{
    public const string Tag = "ready";

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var missing = router.Options.RequiredOperations.Where(operation => !router.Router.Engine.CanServe(operation)).Select(operation => ((DatabaseRoute)operation).Name).ToList();
        var hosts = router.Router.GetHealthStatus();
        var unwell = hosts.Where(host => !host.Value.IsHealthy).Select(host => $"{host.Key} is {host.Value.State}").ToList();
        var data = hosts.ToDictionary(host => host.Key, object (host) => host.Value.State.ToString());
        var result = missing.Count > 0 ? new HealthCheckResult(context.Registration.FailureStatus, $"No host can serve {string.Join(", ", missing)}. {string.Join("; ", unwell)}", data: data)
            : unwell.Count > 0 ? HealthCheckResult.Degraded(string.Join("; ", unwell), data: data)
            : HealthCheckResult.Healthy(data: data);
        return Task.FromResult(result);
    }
}
