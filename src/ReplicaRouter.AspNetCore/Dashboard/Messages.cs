using System.Text.Json;
using System.Text.Json.Serialization;
using ReplicaRouter.Dashboard.Feed;

namespace ReplicaRouter.Dashboard;

/// <summary>The full state, for a page that has just connected or reconnected. All arrays by host or by route follow the order of these names.</summary>
/// <param name="Hosts">The hosts' names.</param>
/// <param name="Routes">The routes' names.</param>
/// <param name="Instance">The process.</param>
/// <param name="Points">The last five minutes, by the second.</param>
/// <param name="Steps">The last hour, in steps of 15 s.</param>
/// <param name="Events">The last events, oldest first.</param>
/// <param name="Status">The current status.</param>
internal sealed record WelcomeMessage(
    string[] Hosts, string[] Routes, InstanceMessage Instance, HistoryPoint[] Points, HistoryPoint[] Steps, FeedEvent[] Events, RouterStatusMessage Status)
{
    /// <summary>Returns a copy for users who may not see error texts.</summary>
    public WelcomeMessage WithoutErrors() => this with { Events = FeedEvent.WithoutErrors(Events), Status = Status.WithoutErrors() };
}

/// <summary>What has changed since the last message: a new point once a second, a step every 15 s, and the current status after each event.</summary>
internal sealed record UpdateMessage(RouterStatusMessage Status, HistoryPoint? Point, HistoryPoint? Step, FeedEvent[] Events)
{
    /// <inheritdoc cref="WelcomeMessage.WithoutErrors"/>
    public UpdateMessage WithoutErrors() => this with { Events = FeedEvent.WithoutErrors(Events), Status = Status.WithoutErrors() };
}

/// <summary>The process that the page shows, and when it started, in ms of the Unix epoch.</summary>
internal sealed record InstanceMessage(string Application, string Machine, int ProcessId, string Version, long StartedAt);

/// <summary>The values of the charts at one moment.</summary>
/// <param name="At">The moment, in ms of the Unix epoch.</param>
/// <param name="Lag">Replication lag in ms, by host.</param>
/// <param name="Latency">Duration of the last probe in ms, by host; null for a host that does not answer.</param>
/// <param name="Rates">Commands a second since the previous point, by host and route.</param>
internal sealed record HistoryPoint(long At, double?[] Lag, double?[] Latency, double[][] Rates)
{
    /// <summary>Returns a copy for another list of hosts.</summary>
    /// <param name="places">The index of each host in this point; -1 for a new host.</param>
    public HistoryPoint With(int[] places) => new(
        At,
        [.. places.Select(place => place < 0 ? null : Lag[place])],
        [.. places.Select(place => place < 0 ? null : Latency[place])],
        [.. places.Select(place => place < 0 ? new double[Rates[0].Length] : Rates[place])]);

    /// <summary>Merges several points into one: the worst lag and latency, which a mean would hide, and the mean rates.</summary>
    public static HistoryPoint Of(IReadOnlyList<HistoryPoint> points)
    {
        var last = points[^1];
        return new(
            last.At,
            [.. last.Lag.Select((_, host) => points.Max(point => point.Lag[host]))],
            [.. last.Latency.Select((_, host) => points.Max(point => point.Latency[host]))],
            [.. last.Rates.Select((rates, host) => rates.Select((_, route) => Math.Round(points.Average(point => point.Rates[host][route]), 1)).ToArray())]);
    }
}

/// <summary>The router's status at one moment. Counts are since the router's start.</summary>
/// <param name="At">The moment, in ms of the Unix epoch.</param>
/// <param name="Primary">The primary, if there is one.</param>
/// <param name="Timeline">The cluster's timeline.</param>
/// <param name="ForcedMs">How much longer all reads are forced to the primary, in ms; 0 if they are not.</param>
/// <param name="ForcedBy">Who ordered that.</param>
/// <param name="Failovers">Failovers.</param>
/// <param name="Hosts">The hosts.</param>
/// <param name="Routes">The routes.</param>
/// <param name="NotOpened">Connections that could not be opened for callers.</param>
/// <param name="Failures">The last kinds of failures that callers met, newest first.</param>
/// <param name="Fallbacks">Choices outside a route's own group.</param>
/// <param name="Recovery">What kept failures from callers.</param>
/// <param name="Sessions">What sessions needed.</param>
internal sealed record RouterStatusMessage(
    long At, string? Primary, int Timeline, long ForcedMs, string? ForcedBy, long Failovers, HostStatus[] Hosts, RouteStatus[] Routes, long NotOpened, FailureMessage[] Failures,
    FallbackMessage[] Fallbacks, RecoveryMetrics Recovery, SessionMetrics Sessions)
{
    /// <inheritdoc cref="WelcomeMessage.WithoutErrors"/>
    public RouterStatusMessage WithoutErrors() => this with
    {
        Hosts = [.. Hosts.Select(host => host.Error is null ? host : host with { Error = null })],
        Failures = [.. Failures.Select(failure => failure.Text is null ? failure : failure with { Text = null })],
    };
}

/// <summary>The status of one host: its state, its commands so far by route, their 95th percentile over about the last minute, and its pools in use.</summary>
internal sealed record HostStatus(
    string Name, HostRole Role, HostState State, bool IsHealthy, string? DrainedBy, int? Timeline, double? LagMs, long? LagBytes, double LatencyMs, double? P95Ms, string? Error,
    int MaxConnections, long[] Commands, PoolStatus[] Pools);

/// <summary>The connections of a pool, and the callers that wait for one.</summary>
internal sealed record PoolStatus(string Route, int InUse, int Idle, int Waiting, int Limit);

/// <summary>A route's commands and failures since the start, and percentiles of its commands' durations over about the last minute, in ms.</summary>
internal sealed record RouteStatus(string Name, long Commands, double? P50Ms, double? P95Ms, double? P99Ms, long Failed);

/// <summary>Failures of one kind, and when the last one happened, in ms of the Unix epoch.</summary>
internal sealed record FailureMessage(long At, string Route, string? Host, string What, string? Text, long Count);

/// <summary>Choices outside a route's own group, with their reason in words.</summary>
internal sealed record FallbackMessage(string Route, string Reason, long Count);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, UseStringEnumConverter = true)]
[JsonSerializable(typeof(WelcomeMessage))]
[JsonSerializable(typeof(UpdateMessage))]
[JsonSerializable(typeof(AcceptancePreview))]
internal sealed partial class DashboardJson : JsonSerializerContext;
