using ReplicaRouter.Benchmarks.Hedges;
using ReplicaRouter.Benchmarks.Memory;
using ReplicaRouter.Benchmarks.Micro;
using ReplicaRouter.Benchmarks.Peers;
using ReplicaRouter.Benchmarks.Slowness;

namespace ReplicaRouter.Benchmarks.Reports;

/// <summary>All that one run has measured. What was not asked for is null or empty.</summary>
internal sealed class Results
{
    public required Machine Machine { get; init; }

    /// <summary>Arrivals a second of the loads in open loop.</summary>
    public required double Rate { get; init; }

    public MicroFigures? Micro { get; set; }

    public IReadOnlyDictionary<string, SteadyFigures> Steady { get; set; } = new Dictionary<string, SteadyFigures>();

    public Dictionary<SlowScenario, SlowResults> Slow { get; } = [];

    public List<HedgeFigures> Hedging { get; } = [];

    public MemoryFigures? Memory { get; set; }
}
