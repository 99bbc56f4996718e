using ReplicaRouter.Tool.CommandLine;
using ReplicaRouter.Tool.Inspection;

namespace ReplicaRouter.Tool.Status;

/// <summary>How one host stands now.</summary>
/// <param name="Name">The host's name.</param>
/// <param name="Address">Where it is configured to be.</param>
/// <param name="Role">What it was observed to be.</param>
/// <param name="State">How it stands.</param>
/// <param name="Timeline">The timeline that it is on.</param>
/// <param name="LagMs">Age of the newest primary position that it has replayed, in ms.</param>
/// <param name="LagBytes">WAL that it has still to replay.</param>
/// <param name="LatencyMs">The shortest of a few round trips.</param>
/// <param name="Connections">Connections to its databases, of everybody.</param>
/// <param name="MaxConnections">Its <c>max_connections</c>.</param>
/// <param name="IsHealthy">Whether it can serve what its role allows.</param>
/// <param name="Error">Why it is not healthy, in words.</param>
internal sealed record HostStatus(
    string Name, string Address, HostRole Role, HostState State, int? Timeline, double? LagMs, long? LagBytes, double? LatencyMs,
    int? Connections, int? MaxConnections, bool IsHealthy, string? Error)
{
    /// <summary>How all hosts of a cluster stand now.</summary>
    public static async Task<IReadOnlyList<HostStatus>> OfAsync(ClusterWatch watch, TimeProvider time, CancellationToken ct)
    {
        var hosts = watch.Hosts;
        var measured = await Task.WhenAll(hosts.Select(host => new HostInspector(host, time).MeasureAsync(ct)));
        var health = watch.Router.GetHealthStatus();
        // A source may have taken one away meanwhile.
        return [.. hosts.Zip(measured).Where(pair => health.ContainsKey(pair.First.Name)).Select(pair => Of(pair.First, health[pair.First.Name], pair.Second))];
    }

    private static HostStatus Of(HostConfiguration host, HostHealth health, (int Connections, int MaxConnections, double LatencyMs)? found) => new(
        host.Name, host.Endpoint, health.Role, health.State, health.Timeline, health.ReplicationLag?.TotalMilliseconds, health.LagBytes, found?.LatencyMs,
        found?.Connections, found?.MaxConnections, health.IsHealthy, health.Error);
}
