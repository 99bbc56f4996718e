namespace ReplicaRouter.Simulation;

/// <summary>A fleet, its load and its faults.</summary>
internal sealed record Scenario
{
    public required string Name { get; init; }

    /// <summary>A description of what happens.</summary>
    public required string Title { get; init; }

    public int Processes { get; init; } = 20;
    public int Replicas { get; init; } = 3;

    /// <summary>Operations a second of all processes together.</summary>
    public double RatePerSecond { get; init; } = 2000;

    /// <summary>Number of callers that each send the next read when the last one is answered, spread over the processes. With 0, callers arrive independently.</summary>
    public int ClosedLoops { get; init; }

    public Workload Workload { get; init; } = Workload.Lognormal;
    public ServerModel Servers { get; init; } = new();

    /// <summary>The most connections of each process to each host; null for the router's default.</summary>
    public int? PoolSize { get; init; }

    public Network Network { get; init; } = new();
    public TimeSpan Length { get; init; } = TimeSpan.FromSeconds(46);

    /// <summary>The time over which the processes start.</summary>
    public TimeSpan StartWithin { get; init; } = TimeSpan.FromSeconds(3);

    public TimeSpan TrafficFrom { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Whether the fleet starts new. Otherwise it is long-running: servers know its size, and each process has a connection to each replica.</summary>
    public bool IsColdStart { get; init; }

    /// <summary>The start of the measured window.</summary>
    public TimeSpan From { get; init; } = TimeSpan.FromSeconds(15);

    public TimeSpan To { get; init; } = TimeSpan.FromSeconds(45);

    /// <summary>The indexes of the faulty servers; the primary is 0.</summary>
    public int[] Faulty { get; init; } = [];

    public Action<World> Faults { get; init; } = _ => { };

    /// <summary>The constants by which the router ejects slow hosts.</summary>
    public EjectionSettings Ejection { get; init; } = EjectionSettings.Default;

    /// <summary>The policies to compare.</summary>
    public IReadOnlyList<Policy> Policies { get; init; } = Policy.All;

    /// <summary>The same scenario without faults, to compare the figures with.</summary>
    public Scenario Healthy => this with { Name = HealthyName, Title = $"{Title}: without the fault", Faults = _ => { }, Policies = [Policy.Product, Policy.ProductHedged] };

    public string HealthyName => $"{Name}, no fault";
}
