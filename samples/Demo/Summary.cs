using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Demo.Traffic;
using ReplicaRouter;

namespace Demo;

/// <summary>The figures of a run. The demo counts operations and errors; the router counts failovers and fallbacks.</summary>
internal sealed record Summary(
    IReadOnlyDictionary<string, long> Operations,
    IReadOnlyDictionary<string, IReadOnlyDictionary<string, long>> ByHost,
    long Errors,
    long Failovers,
    long Fallbacks,
    long StaleReads,
    JsonNode Health)
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>One line for each kind of error.</summary>
    internal IReadOnlyList<string> ErrorLines { get; init; } = [];

    public static Summary Of(Tally tally, DatabaseRouterMetrics metrics, JsonNode health) => new(
        ByName(tally.Total),
        tally.Hosts.ToDictionary(host => host, IReadOnlyDictionary<string, long> (host) => ByName(operation => tally[host, operation])),
        tally.Errors.Values.Sum(),
        metrics.Failovers,
        metrics.Fallbacks.Sum(fallback => fallback.Count),
        tally.StaleReads,
        health)
    {
        ErrorLines = [.. tally.Errors.OrderByDescending(error => error.Value).Select(error => $"{error.Value} x {error.Key}")],
    };

    public string ToJson() => JsonSerializer.Serialize(this, s_json);

    private static Dictionary<string, long> ByName(Func<DatabaseOperation, long> count) =>
        Enum.GetValues<DatabaseOperation>().ToDictionary(operation => DatabaseRoute.FromDatabaseOperation(operation).Name, count);
}
