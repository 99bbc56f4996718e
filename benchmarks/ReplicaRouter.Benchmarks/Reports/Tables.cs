using ReplicaRouter.Benchmarks.Hedges;
using ReplicaRouter.Benchmarks.Memory;
using ReplicaRouter.Benchmarks.Micro;
using ReplicaRouter.Benchmarks.Peers;
using ReplicaRouter.Benchmarks.Slowness;

namespace ReplicaRouter.Benchmarks.Reports;

internal static class Tables
{
    /// <summary>Returns the tables of the results, the peers first.</summary>
    public static IEnumerable<Grid> Of(Results results)
    {
        if (results.Steady.Count > 0) yield return SteadyTable.Of(results.Steady, results.Rate);
        if (results.Micro is { } micro) yield return MicroTable.Of(micro);
        foreach (var (scenario, slow) in results.Slow) yield return SlowTable.Of(scenario, slow);
        foreach (var hedging in results.Hedging) yield return HedgeTable.Of(hedging);
        if (results.Memory is { } memory) yield return MemoryTable.Of(memory);
    }
}
