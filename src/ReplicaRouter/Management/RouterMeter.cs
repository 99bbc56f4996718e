using System.Diagnostics.Metrics;

namespace ReplicaRouter.Management;

/// <summary>The router's metrics. All but one are read from existing counters when they are collected, and cost nothing until then.</summary>
internal sealed class RouterMeter : IDisposable
{
    private readonly Meter _meter;
    private readonly RouterConfiguration _configuration;
    private readonly TopologyStore _store;
    private readonly HostRegistry _registry;
    private readonly CommandListener _listener;
    private readonly TimeProvider _time;

    public RouterMeter(
        IMeterFactory? factory, RouterConfiguration configuration, TopologyStore store, HostRegistry registry,
        CommandListener listener, HostChooser chooser, RoutingCounters counters, TimeProvider time)
    {
        (_configuration, _store, _registry, _listener, _time) = (configuration, store, registry, listener, time);
        var options = new MeterOptions(DatabaseRouterTelemetry.MeterName) { Version = DatabaseRouterTelemetry.Version };
        _meter = factory?.Create(options) ?? new Meter(options);
        OperationDuration = _meter.CreateHistogram("replica_router.operation.duration", "s", "Duration of operations that the router ran, with waiting, opening and retries.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10] });
        AddWork(counters, chooser);
        AddHosts(counters);
        AddSessions(counters);
    }

    public Histogram<double> OperationDuration { get; }

    public void Dispose() => _meter.Dispose();

    private void AddWork(RoutingCounters counters, HostChooser chooser)
    {
        Counter("replica_router.commands", Commands, "{command}", "Commands run, however their connection was obtained.");
        Counter("replica_router.fallbacks", () => Fallbacks(counters), "{choice}", "Choices of a host outside the route's own group.");
        Counter("replica_router.retries", () => ByKind(counters, (RouterEvent.Retry, "read"), (RouterEvent.Moved, "moved"), (RouterEvent.WriteRetry, "write")),
            "{retry}", "Work retried because its host failed.");
        Counter("replica_router.retries.refused", () => counters[RouterEvent.RetryRefused], "{retry}", "Work not retried because the retry budget was spent.");
        Counter("replica_router.hedges", () => counters[RouterEvent.Hedge], "{hedge}", "Hedged attempts of slow reads.");
        Counter("replica_router.hedges.won", () => counters[RouterEvent.HedgeWon], "{hedge}", "Reads whose hedged attempt answered first.");
        Counter("replica_router.shed", () => counters[RouterEvent.Shed], "{read}", "Reads refused because the primary already served its limit of fallback reads.");
        _meter.CreateObservableUpDownCounter("replica_router.connections", () => Connections().Select(Named), "{connection}", "Open connections in the pools.");
        Gauge("replica_router.route.available", () => _configuration.Routes.Select(route => new Measurement<int>(chooser.CanServe(route) ? 1 : 0, TelemetryTags.OfRoute(route))),
            description: "1 if a host can serve the route, else 0.");
    }

    private void AddHosts(RoutingCounters counters)
    {
        Counter("replica_router.failovers", () => counters[RouterEvent.Failover], "{failover}", "Number of times that another server became the primary.");
        Counter("replica_router.topology.changes", () => ByKind(counters,
                (RouterEvent.HostAdded, "added"), (RouterEvent.HostRemoved, "removed"), (RouterEvent.HostReassigned, "reassigned"), (RouterEvent.HostReconnected, "reconnected")),
            "{host}", "Hosts that were added, removed or reconfigured while the router ran.");
        Counter("replica_router.discovery.failures", () => counters.DiscoveryFailures.Select(BySource),
            "{answer}", "Queries of a discovery source that failed or returned no host, and so changed nothing.");
        Counter("replica_router.discovery.refused", () => counters.RefusedHosts.Select(BySource),
            "{host}", "Hosts in answers of a discovery source that Discovery:AllowedHosts does not allow, counted in each answer.");
        Counter("replica_router.ejections", () => Ejections(counters), "{ejection}", "Number of times that a host was taken out of rotation, by the state that it entered.");
        Gauge("replica_router.host.state", () => Flags(TelemetryTags.State, host => host.StateAt(_time.GetTimestamp())),
            description: "1 for the host's current state, 0 for the others.");
        Gauge("replica_router.host.role", () => Flags(TelemetryTags.Role, host => host.Role), description: "1 for the host's last observed role, 0 for the others.");
        Gauge("replica_router.host.drained", () => ByHost(host => host.IsDrained ? 1 : 0), description: "1 if an operator has drained the host, else 0.");
        Gauge("replica_router.host.lag", () => Lags(host => host.Lag?.TotalSeconds), "s", "Replication lag: the age of the newest primary position that the replica has replayed.");
        Gauge("replica_router.host.lag.wal", () => Lags(host => host.LagBytes), "By", "WAL that the replica has not replayed yet.");
        Gauge("replica_router.probe.duration", () => ByHost(host => MonitorOf(host).LastProbeMs / 1000), "s", "Duration of the host's last probe.");
        Gauge("replica_router.probe.age", ProbeAges, "s", "Time since the host's last probe ended, answered or not. Grows only when the probe loop is stuck.");
    }

    private void AddSessions(RoutingCounters counters)
    {
        Counter("replica_router.sessions", () => counters[RouterEvent.Session], "{session}", "Sessions begun; in a web application one per request.");
        Counter("replica_router.session.position_asks", () => counters[RouterEvent.PositionAsked], "{read}", "Session reads that first queried a host for a position.");
        Counter("replica_router.session.waits", () => counters[RouterEvent.CatchUpWait], "{wait}", "Waits for a replica to replay what a session needs.");
        Counter("replica_router.session.lost_histories", () => counters[RouterEvent.LostHistory], "{session}", "Sessions that had seen data that a failover may have lost.");
        Counter("replica_router.session.ignored_tokens", () => counters[RouterEvent.IgnoredToken], "{token}", "Tokens that were damaged, forged, too old or from another cluster.");
    }

    private void Counter(string name, Func<IEnumerable<Measurement<long>>> read, string unit, string description) =>
        _meter.CreateObservableCounter(name, () => read().Select(Named), unit, description);

    private void Counter(string name, Func<long> read, string unit, string description) => Counter(name, () => [new Measurement<long>(read())], unit, description);

    private void Gauge<T>(string name, Func<IEnumerable<Measurement<T>>> read, string? unit = null, string? description = null) where T : struct =>
        _meter.CreateObservableGauge(name, () => read().Select(Named), unit, description);

    private Measurement<T> Named<T>(Measurement<T> measurement) where T : struct =>
        _configuration.Name is { } router ? new Measurement<T>(measurement.Value, (KeyValuePair<string, object?>[])[.. measurement.Tags, new(TelemetryTags.Router, router)]) : measurement;

    private IEnumerable<Measurement<long>> Commands() =>
        from pools in Pools()
        let commands = pools.Sum(pool => pool.Commands)
        where commands > 0
        select new Measurement<long>(commands, TelemetryTags.OfRoute(pools.Key.Plan), TelemetryTags.OfHost(pools.Key.Host));

    /// <summary>Returns the pools of all databases by route and host name: the former connections of a host that was removed and added again can still be in use.</summary>
    private IEnumerable<IGrouping<(RoutePlan Plan, string Host), HostPool>> Pools() =>
        _registry.All.SelectMany(host => host.Everything).GroupBy(pool => (_configuration.Routes[pool.Plan.Index], pool.Host.Name));

    private static IEnumerable<Measurement<long>> Fallbacks(RoutingCounters counters) =>
        from fallback in counters.Fallbacks()
        select new Measurement<long>(fallback.Count, TelemetryTags.OfRoute(fallback.Route), new(TelemetryTags.Reason, TelemetryTags.Of(fallback.Reason)));

    private static IEnumerable<Measurement<long>> ByKind(RoutingCounters counters, params (RouterEvent Event, string Kind)[] kinds) =>
        kinds.Select(each => new Measurement<long>(counters[each.Event], new KeyValuePair<string, object?>(TelemetryTags.Kind, each.Kind)));

    private IEnumerable<Measurement<int>> Connections()
    {
        _listener.Recount();
        return
        [
            .. from pools in Pools()
               let busy = pools.Sum(pool => pool.Busy)
               let idle = pools.Sum(pool => pool.Source.Idle)
               where busy > 0 || idle > 0 || pools.Any(pool => pool.Commands > 0)
               from state in new (string Name, int Count)[] { ("used", busy), ("idle", idle) }
               select new Measurement<int>(state.Count, TelemetryTags.OfRoute(pools.Key.Plan), TelemetryTags.OfHost(pools.Key.Host), new(TelemetryTags.ConnectionState, state.Name)),
        ];
    }

    private static IEnumerable<Measurement<long>> Ejections(RoutingCounters counters) =>
        from transition in counters.Transitions()
        where transition.State is HostState.Lagging or HostState.Failing || (!HostSnapshot.Serves(transition.State) && transition.State != HostState.Unknown)
        select new Measurement<long>(transition.Count, TelemetryTags.OfHost(transition.Host), new(TelemetryTags.Reason, TelemetryTags.Of(transition.State)));

    private static Measurement<long> BySource(KeyValuePair<string, long> count) => new(count.Value, new KeyValuePair<string, object?>(TelemetryTags.Source, count.Key));

    // Includes the zeros: a collector keeps showing the last value that it got.
    private IEnumerable<Measurement<int>> Flags<T>(string tag, Func<HostSnapshot, T> current) where T : struct, Enum =>
        from host in _store.Current.Hosts
        let value = current(host)
        from each in Enum.GetValues<T>()
        select new Measurement<int>(each.Equals(value) ? 1 : 0, TelemetryTags.OfHost(host.Name), new(tag, TelemetryTags.Of(each)));

    private IEnumerable<Measurement<double>> Lags(Func<HostSnapshot, double?> lag)
    {
        var now = _time.GetTimestamp();
        // NaN if unknown: otherwise a collector would keep showing the last value that it got.
        return ByHost(host => host.Role == HostRole.Replica && host.StateAt(now) != HostState.Unknown ? lag(host) ?? double.NaN : double.NaN);
    }

    private IEnumerable<Measurement<double>> ProbeAges()
    {
        var now = _time.GetUtcNow().Ticks;
        return from host in _store.Current.Hosts
               let last = MonitorOf(host).LastProbeAt
               where last > 0
               select new Measurement<double>(TimeSpan.FromTicks(Math.Max(0, now - last)).TotalSeconds, TelemetryTags.OfHost(host.Name));
    }

    private IEnumerable<Measurement<T>> ByHost<T>(Func<HostSnapshot, T> value) where T : struct =>
        _store.Current.Hosts.Select(host => new Measurement<T>(value(host), TelemetryTags.OfHost(host.Name)));

    private HostMonitor MonitorOf(HostSnapshot host) => _registry.MonitorOf(host.Configuration);
}
