namespace ReplicaRouter.Simulation;

/// <summary>All scenarios.</summary>
/// <param name="Processes">The number of processes of a large fleet.</param>
/// <param name="Hosts">The number of replicas of a large fleet.</param>
internal sealed record ScenarioList(int Processes = 1000, int Hosts = 30)
{
    /// <summary>Servers where work never queues: a fault changes only how long it takes.</summary>
    private static readonly ServerModel s_wide = new() { Workers = 10_000 };

    /// <summary>Small servers of a large fleet: 500 operations a second each.</summary>
    private static readonly ServerModel s_small = new() { Workers = 2 };

    public IReadOnlyList<Scenario> All =>
    [
        Healthy("healthy", Workload.Lognormal, 20, 4200),
        Healthy("healthy-mixed", Workload.Mixed, 20, 2947),
        Healthy("healthy-sparse", Workload.Lognormal, Processes, 4200),
        Healthy("healthy-sparse-mixed", Workload.Mixed, Processes, 2947),
        .. WithHealthy(Slow("slow-dense", "one of 3 replicas is 10 times slower, 20 processes", 20, 3, [1])),
        .. WithHealthy(Slow("slow-sparse", "one of 3 replicas is 10 times slower, a large fleet whose processes each send little", Processes, 3, [1])),
        .. WithHealthy(Starved("starved-dense", 20)),
        .. WithHealthy(Starved("starved-sparse", Processes)),
        Slow("slow-2-of-3", "two of 3 replicas are 10 times slower, 20 processes", 20, 3, [1, 2]),
        Slow("slow-2-of-3-sparse", "two of 3 replicas are 10 times slower, a large fleet", Processes, 3, [1, 2]),
        .. WithHealthy(Slow("slow-3-of-5", "three of 5 replicas are 10 times slower, 20 processes", 20, 5, [1, 2, 3])),
        .. WithHealthy(Slow("slow-3-of-5-sparse", "three of 5 replicas are 10 times slower, a large fleet", Processes, 5, [1, 2, 3])),
        Short("gray", "one of 3 replicas is 10 times slower every other second, 20 processes", Fault.Repeated(15, 30, 2, (from, to) => Fault.Slow(from, to, 10, 1))),
        Short("hung", "one of 3 replicas hangs for 10 s, 20 processes", Fault.Hang(15, 25, 1)),
        Short("killed", "one of 3 replicas is killed and returns after 10 s, 20 processes", Fault.Kill(15, 25, 1)),
        .. WithHealthy(Base("return-sparse", "one of 3 replicas returns with cold caches, a large fleet", Processes, 2000) with
        {
            Faulty = [1],
            Faults = Fault.Kill(10, 20, 1),
            From = TimeSpan.FromSeconds(20),
            To = TimeSpan.FromSeconds(50),
            Length = TimeSpan.FromSeconds(51),
        }),
        Base("overload", "half of the replicas' capacity, twice their capacity for 10 s, then half again", 20, 1500) with
        {
            Servers = new ServerModel { Workers = 4 },
            Faults = Fault.Overload(15, 25, 4, 1),
            To = TimeSpan.FromSeconds(25),
            Length = TimeSpan.FromSeconds(36),
        },
        Base("overload-long", "80 % of the replicas' capacity, three times their capacity for 60 s, then 80 % again; 1.5 pooled connections per server worker", 3, 2400) with
        {
            Servers = new ServerModel { Workers = 4 },
            PoolSize = 2,
            Faults = Fault.Overload(15, 75, 3.75, 1),
            To = TimeSpan.FromSeconds(75),
            Length = TimeSpan.FromSeconds(86),
            Policies = [Policy.Product, Policy.ProductHedged],
        },
        Base("replicas-lost", "all replicas are killed for 20 s, at 125 % of the primary's capacity", 5, 2500) with
        {
            Faulty = [1, 2, 3],
            Faults = Fault.Kill(15, 35, 1, 2, 3),
            To = TimeSpan.FromSeconds(35),
            Length = TimeSpan.FromSeconds(46),
            Policies = [Policy.Product, Policy.ProductHedged],
        },
        Pauses("pauses", "one process that is paused for up to 500 ms every 10 s, at 80 % load", new Network()),
        Pauses("pauses-loss", "the same with 1 % of the packets lost", new Network(Loss: 0.01)),
        Fleet("fleet", "a large fleet, nothing happens", until: 26),
        Fleet("fleet-cold-start", "all processes start within five seconds", until: 24) with
        {
            IsColdStart = true,
            StartWithin = TimeSpan.FromSeconds(5),
            TrafficFrom = TimeSpan.Zero,
            From = TimeSpan.Zero,
            Policies = [Policy.Product, Policy.Oracle],
        },
        Fleet("fleet-flapping", "one replica is down every other second, another 10 times slower every other two", until: 28) with
        {
            Faulty = [1, 2],
            Faults = world =>
            {
                Fault.Repeated(15, 27, 2, (from, to) => Fault.Kill(from, to, 1))(world);
                Fault.Repeated(15, 27, 4, (from, to) => Fault.Slow(from, to, 10, 2))(world);
            },
        },
        Fleet("fleet-lag-wave", "replay of one replica after another stops for 12 s", until: 36) with { Faults = Fault.LagWave(15, 12), Policies = Policy.OfMonitoring },
        Fleet("fleet-region-lost", "a third of the replicas is cut off", until: 28) with { Faulty = Third, Faults = Fault.Hang(15, 30, Third), Policies = Policy.OfMonitoring },
        Fleet("fleet-return", "one replica was down and returns with cold caches", until: 36) with { Faulty = [1], Faults = Fault.Kill(9, 15, 1) },
    ];

    private int[] Third => [.. Enumerable.Range(1, Math.Max(1, Hosts / 3))];

    private static Scenario Base(string name, string title, int processes, double rate) => new() { Name = name, Title = title, Processes = processes, RatePerSecond = rate };

    private static Scenario Healthy(string name, Workload workload, int processes, double rate) =>
        Base(name, $"nothing happens, {workload.Name} queries at 70 % load, {processes} processes", processes, rate) with
        {
            Workload = workload,
            // By then, later probes have corrected the latencies that include the first connections and logins.
            From = TimeSpan.FromSeconds(18),
            To = TimeSpan.FromSeconds(33),
            Length = TimeSpan.FromSeconds(34),
        };

    private static Scenario Slow(string name, string title, int processes, int replicas, int[] slow) => Base(name, title, processes, 2000) with
    {
        Replicas = replicas,
        Servers = s_wide,
        Faulty = slow,
        Faults = Fault.Slow(15, 45, 10, slow),
    };

    private static Scenario Starved(string name, int processes) => Base(name, $"one of 3 replicas has a tenth of its capacity, at 47 % load, {processes} processes", processes, 2820) with
    {
        Faulty = [1],
        Faults = Fault.Slow(15, 45, 10, 1),
    };

    private static Scenario Short(string name, string title, Action<World> faults) => Base(name, title, 20, 2000) with
    {
        Faulty = [1],
        Faults = faults,
        To = TimeSpan.FromSeconds(30),
        Length = TimeSpan.FromSeconds(31),
    };

    private static Scenario Pauses(string name, string title, Network network) => Base(name, title, 1, 192) with
    {
        Workload = new Lognormal(50, 0.5),
        Servers = new ServerModel { Workers = 4 },
        Network = network,
        Faults = Fault.LocalPauses(TimeSpan.FromSeconds(10)),
        Length = TimeSpan.FromMinutes(31),
        To = TimeSpan.FromMinutes(30.25),
        Policies = [Policy.Product],
    };

    private Scenario Fleet(string name, string title, double until) => Base(name, title, Processes, 200 * Hosts) with
    {
        Replicas = Hosts,
        Servers = s_small,
        To = TimeSpan.FromSeconds(until - 1),
        Length = TimeSpan.FromSeconds(until),
    };

    private static IEnumerable<Scenario> WithHealthy(Scenario scenario) => [scenario, scenario.Healthy];
}
