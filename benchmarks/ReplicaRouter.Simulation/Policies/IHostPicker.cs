namespace ReplicaRouter.Simulation;

/// <summary>Picks a host among those that may serve.</summary>
internal interface IHostPicker
{
    /// <param name="choice">What the product chose, and among whom.</param>
    int Pick(in Choice choice);

    /// <summary>Picks a host for a plain request.</summary>
    /// <param name="topology">What is known.</param>
    /// <param name="ready">The hosts that may serve it.</param>
    /// <returns>The host, or -1 when it takes <see cref="Pick"/> to tell.</returns>
    int PickReady(TopologySnapshot topology, ulong ready) => Pick(new Choice(null, Verdict.Eligible, ready, 0));

    /// <summary>A command has ended.</summary>
    void Ended(int host, double milliseconds)
    {
    }
}

/// <summary>A way of picking hosts, by name.</summary>
/// <param name="Name">For tables.</param>
/// <param name="Create">Makes the picker of one process.</param>
/// <param name="Hedges">Whether slow reads are given a second run.</param>
internal sealed record Policy(string Name, Func<AppProcess, IHostPicker> Create, bool Hedges = false)
{
    public const string Router = "router";
    public const string RouterHedged = "router + hedge";

    /// <summary>Whether it goes by the router's judgement of latency.</summary>
    public bool IsRouter => Name is Router or RouterHedged;

    public static readonly Policy Product = new(Router, process => new ProductPicker(process));
    public static readonly Policy ProductHedged = new(RouterHedged, process => new ProductPicker(process), Hedges: true);
    public static readonly Policy RoundRobin = new("round robin", process => new RoundRobinPicker(process));
    public static readonly Policy Random = new("random", process => new RandomPicker(process));
    public static readonly Policy LeastInFlight = new("least in flight", process => new LeastInFlightPicker(process));
    public static readonly Policy TwoChoices = new("two choices", process => new TwoChoicesPicker(process));
    public static readonly Policy PeakEwma = new("peak EWMA", process => new PeakEwmaPicker(process));
    public static readonly Policy Oracle = new("oracle", process => new OraclePicker(process));

    /// <summary>Those that tell what monitoring is worth, which is the same for all of them.</summary>
    public static readonly IReadOnlyList<Policy> OfMonitoring = [Product, ProductHedged, RoundRobin, Oracle];

    public static readonly IReadOnlyList<Policy> All = [Product, ProductHedged, RoundRobin, Random, LeastInFlight, TwoChoices, PeakEwma, Oracle];
}
