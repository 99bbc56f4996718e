namespace ReplicaRouter.Simulation;

/// <summary>A fleet, its load, and what goes wrong when.</summary>
internal sealed record Scenario
{
    public required string Name { get; init; }

    /// <summary>What happens, in words.</summary>
    public required string Title { get; init; }

    public int Processes { get; init; } = 20;
    public int Replicas { get; init; } = 3;

    /// <summary>Operations a second of all processes together.</summary>
    public double RatePerSecond { get; init; } = 2000;

    /// <summary>Callers who each send the next read when the last one is answered, spread over the processes. With 0, callers come by chance and wait for no other.</summary>
    public int ClosedLoops { get; init; }

    public Workload Workload { get; init; } = Workload.Lognormal;
    public ServerModel Servers { get; init; } = new();

    /// <summary>Connections of each process to each host; null for the router's default.</summary>
    public int? PoolSize { get; init; }

    public Network Network { get; init; } = new();
    public TimeSpan Length { get; init; } = TimeSpan.FromSeconds(46);

    /// <summary>Processes start within this time.</summary>
    public TimeSpan StartWithin { get; init; } = TimeSpan.FromSeconds(3);

    public TimeSpan TrafficFrom { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Whether servers see the fleet arrive; else it has been there for long: they know how large it is, and each process has a connection to each replica.</summary>
    public bool IsColdStart { get; init; }

    /// <summary>The window that is measured.</summary>
    public TimeSpan From { get; init; } = TimeSpan.FromSeconds(15);

    public TimeSpan To { get; init; } = TimeSpan.FromSeconds(45);

    /// <summary>The servers that are worse than the others; the primary is 0.</summary>
    public int[] Faulty { get; init; } = [];

    public Action<World> Faults { get; init; } = _ => { };

    /// <summary>The constants by which the router leaves slow hosts out.</summary>
    public EjectionSettings Ejection { get; init; } = EjectionSettings.Default;

    /// <summary>Who picks hosts.</summary>
    public IReadOnlyList<Policy> Policies { get; init; } = Policy.All;

    /// <summary>The same without faults: what the figures are compared with.</summary>
    public Scenario Healthy => this with { Name = HealthyName, Title = $"{Title}: without the fault", Faults = _ => { }, Policies = [Policy.Product, Policy.ProductHedged] };

    public string HealthyName => $"{Name}, no fault";
}
