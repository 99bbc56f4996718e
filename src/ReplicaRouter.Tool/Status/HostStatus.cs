using ReplicaRouter.Tool.CommandLine;
using ReplicaRouter.Tool.Inspection;

namespace ReplicaRouter.Tool.Status;

/// <summary>The current status of one host.</summary>
/// <param name="Name">The host's name.</param>
/// <param name="Address">The configured endpoint.</param>
/// <param name="Role">The observed role.</param>
/// <param name="State">The router's state of the host.</param>
/// <param name="Timeline">The timeline of the host.</param>
/// <param name="LagMs">Age of the newest primary position that it has replayed, in ms.</param>
/// <param name="LagBytes">WAL that it has yet to replay.</param>
/// <param name="LatencyMs">The shortest of a few round trips, in ms.</param>
/// <param name="Connections">All clients' connections to its databases.</param>
/// <param name="MaxConnections">Its <c>max_connections</c>.</param>
/// <param name="IsHealthy">Whether it can serve what its role allows.</param>
/// <param name="Error">Why it is not healthy.</param>
internal sealed record HostStatus(
    string Name, string Address, HostRole Role, HostState State, int? Timeline, double? LagMs, long? LagBytes, double? LatencyMs,
    int? Connections, int? MaxConnections, bool IsHealthy, string? Error)
{
    /// <summary>Returns the current status of all hosts of a cluster.</summary>
    public static async Task<IReadOnlyList<HostStatus>> OfAsync(ClusterWatch watch, TimeProvider time, CancellationToken ct)
    {
        var hosts = watch.Hosts;
        var measured = await Task.WhenAll(hosts.Select(host => new HostInspector(host, time).MeasureAsync(ct)));
        var health = watch.Router.GetHealthStatus();
        // A source can have removed a host in the meantime.
        return [.. hosts.Zip(measured).Where(pair => health.ContainsKey(pair.First.Name)).Select(pair => Of(pair.First, health[pair.First.Name], pair.Second))];
    }

    private static HostStatus Of(HostConfiguration host, HostHealth health, (int Connections, int MaxConnections, double LatencyMs)? found) => new(
        host.Name, host.Endpoint, health.Role, health.State, health.Timeline, health.ReplicationLag?.TotalMilliseconds, health.LagBytes, found?.LatencyMs,
        found?.Connections, found?.MaxConnections, health.IsHealthy, health.Error);
}
