using System.Collections.Immutable;
using Microsoft.Extensions.Logging.Abstractions;

namespace ReplicaRouter.Simulation;

/// <summary>One application process with a router: the product's store, monitors, loads and selection, on a virtual clock.</summary>
internal sealed class AppProcess
{
    private const int ReadsKnown = 500;

    private readonly Random _random;
    private readonly PrimaryGuard _guard;
    private readonly Queue<Operation> _waiting = new();
    private readonly Queue<Operation> _forPrimary = new();
    private bool _isWatching;
    private bool _isSettled;

    public AppProcess(World world, Policy policy, Random random)
    {
        var configuration = world.Configuration;
        World = world;
        Plan = configuration.PlanOf(DatabaseOperation.Read);
        Clock = new VirtualClock(world.Events);
        _random = random;
        _guard = new PrimaryGuard(new ConcurrencyLimit(configuration.LeastPrimaryReads, configuration.PrimaryReads, configuration.Routes.Length, Clock), configuration.PrimaryReadsPerSecond, Clock);
        Store = new TopologyStore(TopologySnapshot.Initial(configuration), Clock);
        Store.Changed += _guard.OnChanged;
        Store.Changed += OnChanged;
        OutlierEjection[] ejections = [.. configuration.Routes.Select(_ => new OutlierEjection(Clock, world.Scenario.Ejection))];
        Loads = [.. configuration.Hosts.Select(host => new HostLoad(host.Index, ejections, Clock) { Measured = (route, milliseconds) => _guard.Record(host.Index, route, milliseconds) })];
        Monitors = [.. configuration.Hosts.Select(host => new HostMonitor(
            host, new SimulatedProbe(this, world.Servers[host.Index]), Store, configuration.Health, Clock, random, NullLogger.Instance) { Answered = Loads[host.Index].RecordProbe })];
        Pools = [.. world.Servers.Select(server => new Pool(server, Plan.Pool.MaxPoolSize ?? Plan.Pool.DefaultMaxPoolSize, Plan.Wait, Clock))];
        if (!world.Scenario.IsColdStart)
        {
            foreach (var replica in world.Replicas) Pools[replica.Host.Index].OpenOne();
        }

        // Only for the router: other policies ignore latencies, and learning takes long in a large fleet.
        if (!world.Scenario.IsColdStart && policy.IsRouter) LearnLatencies();
        UnderWay = [.. world.Servers.Select(_ => new List<Run>())];
        Retries = new Budget(Clock);
        if (policy.Hedges) Hedging = NewHedging();
        Picker = policy.Create(this);
    }

    public World World { get; }
    public RoutePlan Plan { get; }
    public VirtualClock Clock { get; }
    public TopologyStore Store { get; }
    public HostLoad[] Loads { get; }
    public ImmutableArray<HostMonitor> Monitors { get; }
    public Pool[] Pools { get; }
    public List<Run>[] UnderWay { get; }
    public Budget Retries { get; }
    public HedgePolicy? Hedging { get; }
    public IHostPicker Picker { get; }
    public Random Random => _random;

    public void Start()
    {
        foreach (var monitor in Monitors) monitor.Start();
    }

    /// <summary>Returns an attempt on the host chosen now; null if no host can serve.</summary>
    public Run? TryRun(Operation operation, ulong excluded, TimeSpan? setAside)
    {
        var topology = Store.Current;
        if (!IsSettled(topology)) return null;
        if (excluded == 0 && PickReady(topology) is var ready and >= 0) return OnReplica(operation, ready, null);
        var request = RouteRequest.For(Plan, default, Clock) with { Excluded = excluded, IsHedge = setAside is not null };
        var choice = HostSelection.Choose(topology, Plan, request, Loads, _random);
        if (choice.Host is null)
        {
            if (setAside is null) operation.LeavePrimary();
            return null;
        }

        if (!ReferenceEquals(choice.Host, topology.Primary)) return OnReplica(operation, Picker.Pick(choice), setAside);
        // The primary serves only when no replica can, within the guard's limits, and never hedged attempts.
        return setAside is null ? TryRunOnPrimary(operation, choice.Host.Configuration.Index) : null;
    }

    private Run OnReplica(Operation operation, int host, TimeSpan? setAside)
    {
        if (setAside is null) operation.LeavePrimary();
        Loads[host].Ejection(Plan.Index).OnChosen(host);
        return new Run(operation, this, host, null, setAside);
    }

    private Run? TryRunOnPrimary(Operation operation, int primary)
    {
        var isNew = operation.Ticket is null;
        var ticket = operation.Ticket ??= _guard.Enter(Plan.Priority, Loads[primary].Commands.Count);
        if (ticket.Admitted.IsCompleted)
        {
            operation.Ticket = null;
            return new Run(operation, this, primary, ticket, null);
        }

        if (_guard.IsTooLate(ticket, operation.LeftOf(Plan.Wait), Plan.MaxWaiting)) operation.Refuse();
        else if (isNew) _forPrimary.Enqueue(operation);
        return null;
    }

    /// <summary>Starts the queued reads that the primary now admits, after a read has left it or its limit has risen. All have the same priority, so they start in order.</summary>
    public void LookForPlaces()
    {
        while (_forPrimary.TryPeek(out var next) && next.Ticket is not { Admitted.IsCompleted: false })
        {
            _forPrimary.Dequeue();
            if (next.Ticket is not null) Clock.Do(next.Start);
        }
    }

    /// <summary>Queues an operation to choose again at the next change of the topology.</summary>
    public void WaitForNews(Operation operation) => _waiting.Enqueue(operation);

    /// <summary>Delivers a message that a server has just sent.</summary>
    public void Receive(Action action) => Clock.After(World.OneWay(), action);

    /// <summary>Teaches the router how long reads take on each replica, as a long-running fleet knows.</summary>
    private void LearnLatencies()
    {
        foreach (var replica in World.Replicas)
        {
            for (var i = 0; i < ReadsKnown; i++) Loads[replica.Host.Index].RecordCommand(Plan.Index, World.Scenario.Workload.Draw(_random) + World.Scenario.Network.RoundTripMs);
        }
    }

    private HedgePolicy NewHedging()
    {
        var hedging = new HedgePolicy();
        // A long-running fleet knows how long reads take.
        for (var i = World.Scenario.IsColdStart ? ReadsKnown : 0; i < ReadsKnown; i++)
        {
            hedging.Ended(TimeSpan.FromMilliseconds(World.Scenario.Workload.Draw(_random) + World.Scenario.Network.RoundTripMs));
        }

        return hedging;
    }

    /// <summary>Checks for silent hosts as often as the product does, but only while work is in progress.</summary>
    public void Watch()
    {
        if (_isWatching) return;
        _isWatching = true;
        Clock.After(StallWatch.Period, Look);
    }

    /// <summary>Whether the first probes have completed. Before that nothing is known, as in the product.</summary>
    private bool IsSettled(TopologySnapshot topology) => _isSettled = _isSettled || topology.IsSettled;

    /// <returns>The host for a plain request, as most are; -1 if the full selection must choose.</returns>
    private int PickReady(TopologySnapshot topology)
    {
        var ready = ReadyHosts.For(topology, Plan, Clock).All(Clock.Coarse());
        return ready == 0 ? -1 : Picker.PickReady(topology, ready);
    }

    private void Look()
    {
        _isWatching = false;
        var isBusy = false;
        for (var i = 0; i < Loads.Length; i++)
        {
            if (UnderWay[i].Count == 0) continue;
            isBusy = true;
            StallWatch.Look(Loads[i], Monitors[i]);
        }

        if (isBusy) Watch();
    }

    /// <summary>Does what the product's <c>TopologyWatcher</c> does to its pools.</summary>
    private void OnChanged(TopologySnapshot before, TopologySnapshot after)
    {
        for (var i = 0; i < after.Hosts.Length; i++)
        {
            var (old, now) = (before.Hosts[i], after.Hosts[i]);
            if (ReferenceEquals(old, now)) continue;
            if (old.State != now.State) OnState(i, old, now);
            if ((old.IsServing && !now.IsServing) || (old.Answer is { } former && former.Server != now.Answer?.Server)) Pools[i].Clear();
            if (old.Probation.IsOut && !now.Probation.IsOut) Loads[i].ForgetLatency();
        }

        for (var i = _waiting.Count; i > 0; i--) Clock.Do(_waiting.Dequeue().GoOn);
        if (before.Primary is null || after.Primary is not null) return;
        foreach (var monitor in Monitors) monitor.Wake();
    }

    private void OnState(int host, HostSnapshot old, HostSnapshot now)
    {
        World.Recorder.State(World.Servers[host], now.State);
        List<Run> runs = [.. UnderWay[host]];
        if (now.State == HostState.Hung) runs.ForEach(run => run.HostLost());
        else if ((old.IsServing && !now.IsServing) || now.IsWarmOnly) runs.ForEach(run => run.LoginsRefused());
    }
}
