using System.Text.Json;
using System.Text.Json.Serialization;

namespace ReplicaRouter.Dashboard;

/// <summary>All that a page needs that has just connected, for the first time or again. Arrays by host and by route are in the order of the names here.</summary>
internal sealed record WelcomeMessage(string[] Hosts, string[] Routes, int Capacity, HistoryPoint[] Points, RouterEvent[] Events, RouterStatusMessage Status);

/// <summary>What has changed since the last message: a new point once a second, and how all stands after each event.</summary>
internal sealed record UpdateMessage(RouterStatusMessage Status, HistoryPoint? Point, RouterEvent[] Events);

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
}

/// <summary>How all stands at a moment, given in ms of the Unix epoch. All reads are forced to the primary for <c>ForcedMs</c> from then.</summary>
internal sealed record RouterStatusMessage(
    long At, string? Primary, int Timeline, long ForcedMs, long Failovers, HostStatus[] Hosts, RouteFallback[] Fallbacks, RecoveryMetrics Recovery, SessionMetrics Sessions);

/// <summary>How one host stands, the commands that it ran so far by route, and the pools that were used.</summary>
internal sealed record HostStatus(
    string Name, HostRole Role, HostState State, bool IsHealthy, bool IsDrained, int? Timeline, double? LagMs, long? LagBytes, double LatencyMs, double? CommandMs, string? Error,
    long[] Commands, PoolStatus[] Pools);

/// <summary>Connections of a pool.</summary>
internal sealed record PoolStatus(string Route, int InUse, int Idle, int Limit);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, UseStringEnumConverter = true)]
[JsonSerializable(typeof(WelcomeMessage))]
[JsonSerializable(typeof(UpdateMessage))]
[JsonSerializable(typeof(AcceptancePreview))]
internal sealed partial class DashboardJson : JsonSerializerContext;
