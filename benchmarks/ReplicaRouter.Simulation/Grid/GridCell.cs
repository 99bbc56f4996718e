using System.Globalization;

namespace ReplicaRouter.Simulation;

/// <summary>One cell of the acceptance grid: a fleet and its load.</summary>
/// <param name="Part">The part of the grid, which says what is wrong.</param>
/// <param name="Workload">What queries cost.</param>
/// <param name="Processes">Application processes.</param>
/// <param name="Load">What callers ask for, as a share of what the replicas can do.</param>
/// <param name="Replicas">Replicas.</param>
/// <param name="Callers">Callers who each wait for their answer, in a closed loop; else 0.</param>
internal sealed record GridCell(GridPart Part, Workload Workload, int Processes, double Load, int Replicas, int Callers = 0)
{
    /// <summary>Reads by which a 99th percentile is known to within two percent.</summary>
    private const int LeastReads = 20_000;

    /// <summary>Up to so many reads a second, a process meets a slow host by a read before it can know: there, reads are hedged.</summary>
    private const double SparseReadsPerSecond = 20;

    private const int LargeFleet = 100;
    private const int TimesSlower = 10;
    private const int TrafficFrom = 5;

    // Of a closed loop, in seconds.
    private const int FirstFault = 10;
    private const int FaultLength = 10;

    private static readonly ServerModel s_usual = new();

    /// <summary>Work does not queue there: only the time that it takes changes.</summary>
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

    /// <summary>Reads a second of all processes together, in an open loop.</summary>
    public double RatePerSecond => Load * Replicas * s_usual.Workers * 1000 / Workload.MeanMs;

    public bool HasSlowHosts => Part is GridPart.OneSlow or GridPart.TwoSlow;

    /// <summary>The policies that pick hosts; the first one is judged.</summary>
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

    /// <summary>A few callers send too few reads within a second to tell a host's share. So the host gets slow, and well again, several times.</summary>
    private int Repetitions => Callers < 8 ? 4 : 1;

    /// <param name="ejection">The router's constants.</param>
    /// <param name="leastSeconds">What is measured at least, in an open loop; 5 s by default, or a fault of 30 s.</param>
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

    /// <summary>What a host gets of its fair share in the second that begins two seconds after it is well, on average of its recoveries.</summary>
    public double ShareAgain(Figures figures) => Replicas * Enumerable.Range(0, Repetitions)
        .Average(i => figures.Seconds[FirstFault + FaultLength + 2 + (i * 2 * FaultLength)].SlowShare);

    private Scenario InOpenLoop(Scenario scenario, int leastSeconds)
    {
        // The first reads open connections; a large fleet has its first probes within that time.
        var from = TrafficFrom + (Processes >= LargeFleet ? 7 : 3);
        var to = from + (int)Math.Ceiling(Math.Max(leastSeconds, LeastReads / RatePerSecond));
        // What was begun last is seen to end, or to take longer than its caller waits.
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
