using System.Text.Json;
using System.Text.Json.Serialization;
using ReplicaRouter.Dashboard.Feed;

namespace ReplicaRouter.Dashboard;

/// <summary>All that a page needs that has just connected, for the first time or again. Arrays by host and by route are in the order of the names here.</summary>
/// <param name="Hosts">The hosts' names.</param>
/// <param name="Routes">The routes' names.</param>
/// <param name="Instance">Which process this is.</param>
/// <param name="Points">The last minutes, by the second.</param>
/// <param name="Steps">The last hour, in coarser steps.</param>
/// <param name="Events">The last events, oldest first.</param>
/// <param name="Status">How all stands.</param>
internal sealed record WelcomeMessage(
    string[] Hosts, string[] Routes, InstanceMessage Instance, HistoryPoint[] Points, HistoryPoint[] Steps, FeedEvent[] Events, RouterStatusMessage Status)
{
    /// <summary>The same for those who may not see the texts of errors.</summary>
    public WelcomeMessage WithoutErrors() => this with { Events = FeedEvent.WithoutErrors(Events), Status = Status.WithoutErrors() };
}

/// <summary>What has changed since the last message: a new point once a second, a step now and then, and how all stands after each event.</summary>
internal sealed record UpdateMessage(RouterStatusMessage Status, HistoryPoint? Point, HistoryPoint? Step, FeedEvent[] Events)
{
    /// <inheritdoc cref="WelcomeMessage.WithoutErrors"/>
    public UpdateMessage WithoutErrors() => this with { Events = FeedEvent.WithoutErrors(Events), Status = Status.WithoutErrors() };
}

/// <summary>Which process the page shows; it started at a moment in ms of the Unix epoch.</summary>
internal sealed record InstanceMessage(string Application, string Machine, int ProcessId, string Version, long StartedAt);

/// <summary>What the charts show of one moment.</summary>
/// <param name="At">Milliseconds of the Unix epoch.</param>
/// <param name="Lag">Replication lag in ms by host.</param>
/// <param name="Latency">Time of the last probe in ms by host; null for one that does not answer.</param>
/// <param name="Rates">Commands a second since the point before, by host and route.</param>
internal sealed record HistoryPoint(long At, double?[] Lag, double?[] Latency, double[][] Rates)
{
    /// <summary>The same for other hosts.</summary>
    /// <param name="places">Where each is in this point, or -1.</param>
    public HistoryPoint With(int[] places) => new(
        At,
        [.. places.Select(place => place < 0 ? null : Lag[place])],
        [.. places.Select(place => place < 0 ? null : Latency[place])],
        [.. places.Select(place => place < 0 ? new double[Rates[0].Length] : Rates[place])]);

    /// <summary>One point in place of several: the worst lag and latency, which a mean would hide, and the mean of rates.</summary>
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

/// <summary>How all stands at a moment, given in ms of the Unix epoch.</summary>
/// <param name="At">The moment.</param>
/// <param name="Primary">The primary, if there is one.</param>
/// <param name="Timeline">The cluster's timeline.</param>
/// <param name="ForcedMs">For how long from then all reads are forced to the primary.</param>
/// <param name="ForcedBy">Who ordered that.</param>
/// <param name="Failovers">Failovers so far.</param>
/// <param name="Hosts">The hosts.</param>
/// <param name="Routes">The routes.</param>
/// <param name="NotOpened">Connections that callers did not get.</param>
/// <param name="Failures">What failed callers last, newest first.</param>
/// <param name="Fallbacks">Choices outside a route's own group.</param>
/// <param name="Recovery">What was done so that failures did not reach callers.</param>
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

/// <summary>How one host stands, the commands that it ran so far by route, how long 95 of 100 took at most lately, and the pools that were used.</summary>
internal sealed record HostStatus(
    string Name, HostRole Role, HostState State, bool IsHealthy, string? DrainedBy, int? Timeline, double? LagMs, long? LagBytes, double LatencyMs, double? P95Ms, string? Error,
    int MaxConnections, long[] Commands, PoolStatus[] Pools);

/// <summary>Connections of a pool, and callers who wait for one.</summary>
internal sealed record PoolStatus(string Route, int InUse, int Idle, int Waiting, int Limit);

/// <summary>How long a route's commands took over the last minute, in ms, and how many failed since the start.</summary>
internal sealed record RouteStatus(string Name, long Commands, double? P50Ms, double? P95Ms, double? P99Ms, long Failed);

/// <summary>Failures of one kind, met last at a moment in ms of the Unix epoch.</summary>
internal sealed record FailureMessage(long At, string Route, string? Host, string What, string? Text, long Count);

/// <summary>Choices outside a route's own group, and why in words.</summary>
internal sealed record FallbackMessage(string Route, string Reason, long Count);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, UseStringEnumConverter = true)]
[JsonSerializable(typeof(WelcomeMessage))]
[JsonSerializable(typeof(UpdateMessage))]
[JsonSerializable(typeof(AcceptancePreview))]
internal sealed partial class DashboardJson : JsonSerializerContext;
