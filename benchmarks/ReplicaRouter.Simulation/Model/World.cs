namespace ReplicaRouter.Simulation;

/// <summary>One whole simulation: servers, processes, the network between them, callers and faults.</summary>
internal sealed class World
{
    private readonly Scenario _scenario;
    private readonly Random _arrivals;
    private readonly Random _network;
    private readonly DeadlineLine _deadlines;
    private readonly Demand _demand;

    public World(Scenario scenario, Policy policy, int seed)
    {
        _scenario = scenario;
        // Separate random streams: with every policy, the same callers arrive at the same times with the same work.
        (_arrivals, _network) = (new Random(seed), new Random(seed + 1));
        Chance = new Random(seed + 2);
        _demand = new Demand(scenario.Workload, seed + 3);
        _deadlines = new DeadlineLine(Events);
        Configuration = Build(scenario);
        Servers = [.. Configuration.Hosts.Select(host => new Server(Events, scenario.Servers, host, scenario.IsColdStart ? 0 : scenario.Processes))];
        Recorder = new Recorder(this, scenario);
        Processes = [.. Enumerable.Range(0, scenario.Processes).Select(i => new AppProcess(this, policy, new Random((seed * 1_000_003) + i)))];
        foreach (var process in Processes) Events.After(scenario.StartWithin * Chance.NextDouble(), process.Start);
        Events.At(scenario.TrafficFrom.Ticks, BeginTraffic);
        scenario.Faults(this);
    }

    public EventQueue Events { get; } = new();
    public RouterConfiguration Configuration { get; }
    public Server[] Servers { get; }
    public AppProcess[] Processes { get; }
    public Recorder Recorder { get; }
    public Scenario Scenario => _scenario;

    /// <summary>The random source for faults.</summary>
    public Random Chance { get; }

    /// <summary>The servers that serve reads.</summary>
    public IEnumerable<Server> Replicas => Servers.Where(server => !server.IsPrimary);

    /// <summary>The load as a multiple of the scenario's rate. Faults can change it over time.</summary>
    public double Load { get; set; } = 1;

    public Figures Run()
    {
        Events.RunUntil(_scenario.Length.Ticks);
        return Recorder.Figures();
    }

    public void At(double seconds, Action action) => Events.At(TimeSpan.FromSeconds(seconds).Ticks, action);

    public TimeSpan OneWay() => _scenario.Network.OneWay(_network);

    /// <summary>Delivers a message that is sent now to a server.</summary>
    public void Travel(Action action) => Events.After(OneWay(), action);

    /// <summary>Delivers after several messages back and forth.</summary>
    public void Travel(int messages, Action action)
    {
        var delay = TimeSpan.Zero;
        for (var i = 0; i < messages; i++) delay += OneWay();
        Events.After(delay, action);
    }

    private void BeginTraffic()
    {
        if (_scenario.ClosedLoops == 0) NextArrival();
        for (var i = 0; i < _scenario.ClosedLoops; i++) NextInLoop(Processes[i % Processes.Length]);
    }

    private void NextArrival()
    {
        var workload = _demand.At(Events.Now);
        Begin(new Operation(Processes[_arrivals.Next(Processes.Length)], workload.Draw(_arrivals)));
        // When queries get shorter, more of them arrive, so that the load is constant.
        var rate = _scenario.RatePerSecond * Load * (_scenario.Workload.MeanMs / workload.MeanMs);
        var seconds = -Math.Log(1 - _arrivals.NextDouble()) / rate;
        Events.After(TimeSpan.FromSeconds(seconds), NextArrival);
    }

    /// <summary>Sends the next read of a caller that has its answer or has waited long enough.</summary>
    private void NextInLoop(AppProcess process) => Begin(new Operation(process, _demand.At(Events.Now).Draw(_arrivals), () => NextInLoop(process)));

    private void Begin(Operation operation)
    {
        _deadlines.Add(operation);
        operation.Arrive();
    }

    private static RouterConfiguration Build(Scenario scenario)
    {
        var options = new DatabaseRouterOptions();
        if (scenario.PoolSize is { } size) options.Routes[HostNames.Read] = new DatabaseRouteOptions { MaxPoolSize = size };
        options.Hosts[HostNames.Primary] = new DatabaseHostOptions { ConnectionString = "Host=10.0.0.1" };
        for (var i = 0; i < scenario.Replicas; i++) options.Hosts[$"replica-{i + 3}"] = new DatabaseHostOptions { ConnectionString = $"Host=10.0.0.{i + 3}" };
        return RouterConfigurationBuilder.Build(options);
    }
}
