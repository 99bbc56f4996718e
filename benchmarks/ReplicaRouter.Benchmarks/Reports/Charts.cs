using ReplicaRouter.Benchmarks.Slowness;

namespace ReplicaRouter.Benchmarks.Reports;

internal static class Charts
{
    /// <summary>Returns the charts of the results, each with its file name.</summary>
    public static IEnumerable<(string File, string Svg)> Of(Results results)
    {
        if (results.Steady.Count > 0)
        {
            List<string> names = [.. results.Steady.Keys];
            IReadOnlyList<double> Values(Func<Peers.SteadySlice, double> figure) => [.. results.Steady.Values.Select(arm => figure(arm.Medians))];
            yield return ("throughput.svg", Chart.Svg("Reads with 8 workers in closed loop", "operations a second", isLogarithmic: false, names, ("8 workers", Values(arm => arm.OpsPerSecond))));
            yield return ("latency.svg", Chart.Svg("Latency at a fixed arrival rate", "ms, logarithmic", isLogarithmic: true, names, ("p50", Values(arm => arm.P50Ms)), ("p99", Values(arm => arm.P99Ms)), ("p99.9", Values(arm => arm.P999Ms))));
            yield return ("cpu.svg", Chart.Svg("CPU of client, proxy and servers", "us an operation", isLogarithmic: false, names, ("CPU", Values(arm => arm.CpuUsPerOp))));
        }

        foreach (var (scenario, slow) in results.Slow) yield return ($"slow-{scenario.Name}.svg", SlowChart(scenario, slow));
    }

    private static string SlowChart(SlowScenario scenario, SlowResults slow) => Chart.Svg(
        $"{scenario.Title}: p99 at a fixed arrival rate", "ms, logarithmic", isLogarithmic: true, [.. slow.Arms.Keys],
        ("with it", [.. slow.Arms.Values.Select(arm => arm.Open.P99Ms)]),
        ("without it", [.. slow.Arms.Values.Select(arm => arm.Open.P99WithoutMs)]));
}
