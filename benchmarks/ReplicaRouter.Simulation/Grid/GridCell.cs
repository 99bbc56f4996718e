using System.Globalization;

namespace ReplicaRouter.Simulation;

/// <summary>One cell of the acceptance grid: a fleet and its load.</summary>
/// <param name="Part">The part of the grid, which determines the fault.</param>
/// <param name="Workload">The cost of queries.</param>
/// <param name="Processes">Number of application processes.</param>
/// <param name="Load">The callers' demand, as a share of the replicas' capacity.</param>
/// <param name="Replicas">Number of replicas.</param>
/// <param name="Callers">Number of callers in a closed loop, each waiting for its answer; 0 in an open loop.</param>
internal sealed record GridCell(GridPart Part, Workload Workload, int Processes, double Load, int Replicas, int Callers = 0)
{
    /// <summary>Number of reads that gives the 99th percentile to within two percent.</summary>
    private const int LeastReads = 20_000;

    /// <summary>Up to this rate, a process usually meets a slow host by a read before a probe shows it, so its reads are hedged.</summary>
    private const double SparseReadsPerSecond = 20;

    private const int LargeFleet = 100;
    private const int TimesSlower = 10;
    private const int TrafficFrom = 5;

    // For closed loops, in seconds.
    private const int FirstFault = 10;
    private const int FaultLength = 10;

    private static readonly ServerModel s_usual = new();

    /// <summary>Servers where work never queues: a fault changes only how long it takes.</summary>
    private static readonly ServerModel s_wide = new() { Workers = 10_000 };

    public string PartName => Part switch
    {
        GridPart.Healthy => "healthy",
        GridPart.OneSlow => "one-slow",
        GridPart.TwoSlow => "two-slow",
        _ => "closed-loop",
    };

    public string Name => Part == GridPart.ClosedLoop
        ? string.Create(CultureInfo.InvariantCulture, $"{PartName} {Workload.Name}, {Callers} callers")
        : string.Create(CultureInfo.InvariantCulture, $"{PartName} {Workload.Name}, {Processes} processes, {100 * Load:0} % load, {Replicas} replicas");

    /// <summary>Reads a second of all processes together; open loop only.</summary>
    public double RatePerSecond => Load * Replicas * s_usual.Workers * 1000 / Workload.MeanMs;

    public bool HasSlowHosts => Part is GridPart.OneSlow or GridPart.TwoSlow;

    /// <summary>The policies to compare. Only the first one is judged.</summary>
    public IReadOnlyList<Policy> Policies => Part switch
    {
        GridPart.Healthy => Policy.All,
        GridPart.ClosedLoop => [Policy.Product],
        _ => [RatePerSecond / Processes <= SparseReadsPerSecond ? Policy.ProductHedged : Policy.Product],
    };

    private int[] Slow => Part switch
    {
        GridPart.Healthy => [],
        GridPart.TwoSlow => [1, 2],
        _ => [1],
    };

    /// <summary>A few callers send too few reads in a second to measure a host's share, so the host slows down and recovers several times.</summary>
    private int Repetitions => Callers < 8 ? 4 : 1;

    /// <param name="ejection">The router's ejection constants.</param>
    /// <param name="leastSeconds">The shortest measurement of an open loop; by default 5 s, or 30 s with a fault.</param>
    public Scenario ToScenario(EjectionSettings ejection, int? leastSeconds = null)
    {
        var scenario = new Scenario
        {
            Name = Name,
            Title = Name,
            Processes = Processes,
            Replicas = Replicas,
            Workload = Workload,
            Servers = Part == GridPart.Healthy ? s_usual : s_wide,
            TrafficFrom = TimeSpan.FromSeconds(TrafficFrom),
            Faulty = Slow,
            Ejection = ejection,
        };
        return Part == GridPart.ClosedLoop ? InClosedLoop(scenario) : InOpenLoop(scenario, leastSeconds ?? (HasSlowHosts ? 30 : 5));
    }

    /// <summary>Returns the fraction of its fair share that a host gets in the second that begins two seconds after it recovers, as the average of its recoveries.</summary>
    public double ShareAgain(Figures figures) => Replicas * Enumerable.Range(0, Repetitions)
        .Average(i => figures.Seconds[FirstFault + FaultLength + 2 + (i * 2 * FaultLength)].SlowShare);

    private Scenario InOpenLoop(Scenario scenario, int leastSeconds)
    {
        // In this time the first reads open connections, and a large fleet completes its first probes.
        var from = TrafficFrom + (Processes >= LargeFleet ? 7 : 3);
        var to = from + (int)Math.Ceiling(Math.Max(leastSeconds, LeastReads / RatePerSecond));
        // Long enough for the last operation to end or to exceed its caller's time-out.
        var length = to + (HasSlowHosts ? 3 : 1);
        return scenario with
        {
            RatePerSecond = RatePerSecond,
            Faults = Fault.Slow(from, length, TimesSlower, Slow),
            From = TimeSpan.FromSeconds(from),
            To = TimeSpan.FromSeconds(to),
            Length = TimeSpan.FromSeconds(length),
        };
    }

    private Scenario InClosedLoop(Scenario scenario)
    {
        var length = FirstFault + (Repetitions * 2 * FaultLength);
        return scenario with
        {
            ClosedLoops = Callers,
            Faults = Fault.Repeated(FirstFault, length, 2 * FaultLength, (from, to) => Fault.Slow(from, to, TimesSlower, Slow)),
            From = TimeSpan.FromSeconds(FirstFault),
            To = TimeSpan.FromSeconds(length - 1),
            Length = TimeSpan.FromSeconds(length),
        };
    }
}
