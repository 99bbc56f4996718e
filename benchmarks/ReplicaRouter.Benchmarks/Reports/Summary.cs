using System.Text.Json;
using ReplicaRouter.Benchmarks.Micro;
using ReplicaRouter.Benchmarks.Peers;
using ReplicaRouter.Benchmarks.Slowness;

namespace ReplicaRouter.Benchmarks.Reports;

/// <summary>The results as one line of JSON.</summary>
internal static class Summary
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    public static string Json(Results results) => JsonSerializer.Serialize(new
    {
        GetClient = results.Micro is { } micro ? new { Ns = Rounded(micro.Pick3.Nanoseconds), Bytes = (long)micro.Pick3.Bytes } : null,
        OpenConnection = results.Micro is { } open ? Open(open) : null,
        Steady = results.Steady.ToDictionary(arm => arm.Key, arm => Steady(arm.Value.Medians)),
        ExecuteToRoundRobin = results.Steady.GetValueOrDefault(Peer.RouterExecute) is { } execute ? ExecuteToRoundRobin(execute) : null,
        SlowReplica = results.Slow
            .SelectMany(slow => slow.Value.Arms.Select(arm => (Name: slow.Key.Name == SlowScenario.Main ? arm.Key : $"{arm.Key}/{slow.Key.Name}", arm.Value)))
            .ToDictionary(arm => arm.Name, arm => Slow(arm.Value.Open)),
    }, s_json);

    private static object Open(MicroFigures figures) => new
    {
        RatioToSingleHost = Rounded(figures.ToSingleHost),
        RatioToMultiHost = Rounded(figures.ToMultiHost),
        ExtraBytes = (long)(figures.Router.Bytes - figures.SingleHost.Bytes),
    };

    private static object Steady(SteadySlice figures) => new
    {
        OpsPerSecond = Rounded(figures.OpsPerSecond),
        P50Ms = Rounded(figures.P50Ms),
        P99Ms = Rounded(figures.P99Ms),
        P999Ms = Rounded(figures.P999Ms),
        CpuUsPerOp = Rounded(figures.CpuUsPerOp),
        BytesPerOp = Rounded(figures.BytesPerOp),
    };

    private static object ExecuteToRoundRobin(SteadyFigures figures) => new
    {
        OpsPerSecond = Rounded(figures.ThroughputRatio),
        BytesPerOp = Rounded(figures.BytesRatio),
        CpuUsPerOp = Rounded(figures.CpuRatio),
    };

    private static object Slow(LoadFigures figures) => new
    {
        P99Ms = Rounded(figures.P99Ms),
        P99WithoutThatHostMs = Rounded(figures.P99WithoutMs),
        ShareToSlowHost = Math.Round(figures.ShareToSlow, 4),
    };

    private static double Rounded(double value) => Math.Round(value, 3);

    private static double? Rounded(double? value) => value is { } known ? Rounded(known) : null;
}
