namespace ReplicaRouter.Simulation;

/// <summary>Picks one of the eligible hosts.</summary>
internal interface IHostPicker
{
    /// <param name="choice">The product's choice, and the candidates.</param>
    int Pick(in Choice choice);

    /// <summary>Picks a host for a plain request.</summary>
    /// <param name="topology">The current topology.</param>
    /// <param name="ready">The hosts that can serve the request.</param>
    /// <returns>The host, or -1 if <see cref="Pick"/> must decide.</returns>
    int PickReady(TopologySnapshot topology, ulong ready) => Pick(new Choice(null, Verdict.Eligible, ready, 0));

    /// <summary>A command has ended.</summary>
    void Ended(int host, double milliseconds)
    {
    }
}

/// <summary>A named way of picking hosts.</summary>
/// <param name="Name">The name in tables.</param>
/// <param name="Create">Creates the picker of one process.</param>
/// <param name="Hedges">Whether slow reads are hedged.</param>
internal sealed record Policy(string Name, Func<AppProcess, IHostPicker> Create, bool Hedges = false)
{
    public const string Router = "router";
    public const string RouterHedged = "router + hedge";

    /// <summary>Whether it uses the router's latency measurements.</summary>
    public bool IsRouter => Name is Router or RouterHedged;

    public static readonly Policy Product = new(Router, process => new ProductPicker(process));
    public static readonly Policy ProductHedged = new(RouterHedged, process => new ProductPicker(process), Hedges: true);
    public static readonly Policy RoundRobin = new("round robin", process => new RoundRobinPicker(process));
    public static readonly Policy Random = new("random", process => new RandomPicker(process));
    public static readonly Policy LeastInFlight = new("least in flight", process => new LeastInFlightPicker(process));
    public static readonly Policy TwoChoices = new("two choices", process => new TwoChoicesPicker(process));
    public static readonly Policy PeakEwma = new("peak EWMA", process => new PeakEwmaPicker(process));
    public static readonly Policy Oracle = new("oracle", process => new OraclePicker(process));

    /// <summary>The policies that show the effect of monitoring, which all policies share.</summary>
    public static readonly IReadOnlyList<Policy> OfMonitoring = [Product, ProductHedged, RoundRobin, Oracle];

    public static readonly IReadOnlyList<Policy> All = [Product, ProductHedged, RoundRobin, Random, LeastInFlight, TwoChoices, PeakEwma, Oracle];
}
