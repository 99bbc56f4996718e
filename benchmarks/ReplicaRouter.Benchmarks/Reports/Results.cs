using ReplicaRouter.Benchmarks.Hedges;
using ReplicaRouter.Benchmarks.Memory;
using ReplicaRouter.Benchmarks.Micro;
using ReplicaRouter.Benchmarks.Peers;
using ReplicaRouter.Benchmarks.Slowness;

namespace ReplicaRouter.Benchmarks.Reports;

/// <summary>The results of one run. Scenarios that were not selected are null or empty.</summary>
internal sealed class Results
{
    public required Machine Machine { get; init; }

    /// <summary>Arrivals per second of the open-loop loads.</summary>
    public required double Rate { get; init; }

    public MicroFigures? Micro { get; set; }

    public IReadOnlyDictionary<string, SteadyFigures> Steady { get; set; } = new Dictionary<string, SteadyFigures>();

    public Dictionary<SlowScenario, SlowResults> Slow { get; } = [];

    public List<HedgeFigures> Hedging { get; } = [];

    public MemoryFigures? Memory { get; set; }
}
