namespace ReplicaRouter.Simulation;

/// <summary>The router's goals.</summary>
internal static class GoalList
{
    private const string Hedged = Policy.RouterHedged;
    private const string RoundRobin = "round robin";

    public static IReadOnlyList<Goal> For(ScenarioList scenarios) =>
    [
        .. Slow("G1", "slow-dense", 1.1, 0.15, 1.6, Policy.Router),
        .. Slow("G1", "slow-dense", 1.1, 0.15, 1.6, Hedged),
        // In a sparse fleet, at most 120 probes a second per host are shared by all processes, so most meet a slow host by a read before a probe shows it. There, reads are hedged.
        .. Slow("G2", "slow-sparse", 1.3, 0.17, 3, Hedged),
        .. Starved("starved-dense", Policy.Router),
        .. Starved("starved-sparse", Hedged),
        P99("G4", "slow-2-of-3", "slow-dense", 2),
        P99("G4", "slow-2-of-3-sparse", "slow-sparse", 2, Hedged),
        P99("G4", "slow-3-of-5", "slow-3-of-5", 2),
        P99("G4", "slow-3-of-5-sparse", "slow-3-of-5-sparse", 2, Hedged),
        .. Healthy("healthy"),
        Fast("healthy-mixed"),
        .. Healthy("healthy-sparse"),
        Fast("healthy-sparse-mixed"),
        Fast("fleet"),
        new Goal("G11", "hosts wrongly considered lost because the process was paused", 0, "pauses", seed => seed["pauses"].WrongDowns),
        new Goal("G11", "hosts wrongly considered lost, per host and day", 1, "pauses-loss", seed => seed["pauses-loss"].WrongDowns * 24 / 1.5),
        new Goal("G12", "logins a second at the returning host, over any three seconds", 120, "return-sparse", seed => seed["return-sparse"].LoginsPerSecond),
        P99("G12", "return-sparse", "return-sparse", 1.2),
        new Goal("G12", "errors", 0, "return-sparse", seed => seed["return-sparse"].Errors),
        new Goal("G12", "seconds until it regains 90 % of its share", 20, "return-sparse", seed => SecondsToShare(seed["return-sparse"], from: 20, replicas: 3)),
        new Goal("G13", "lost goodput, as a share of the replicas' capacity", 0.1, "overload", seed => 1 - Goodput(seed["overload"], 16, 25, capacity: 3000)),
        new Goal("G13", "lost goodput, hedged", 0.1, "overload", seed => 1 - Goodput(seed["overload", Hedged], 16, 25, capacity: 3000)),
        new Goal("G13", "hedged attempts per operation", 0.1, "overload", seed => seed["overload", Hedged].HedgeShare),
        new Goal("G13", "p99 5 s afterwards, relative to before", 1.5, "overload", seed => seed["overload"].Seconds[30].P99Ms / seed["overload"].Seconds[12].P99Ms),
        .. Overloaded(Policy.Router),
        .. Overloaded(Hedged),
        new Goal("G15", "replicas-lost: lost goodput, as a share of the primary's capacity", 0.1, "replicas-lost", seed => 1 - Goodput(seed["replicas-lost"], 18, 34, capacity: 2000)),
        // Five processes with the minimum of two reads each keep its eight workers busy. With 16 each, the queue would be 80.
        new Goal("G15", "replicas-lost: most jobs queued or in progress on the primary", 64, "replicas-lost", seed => seed["replicas-lost"].PrimaryQueue),
        new Goal("G15", "replicas-lost: errors from 5 s afterwards", 0, "replicas-lost", seed => ErrorsFrom(seed["replicas-lost"], 40)),
        // Caches are cold: 5 s after its start a server is 1.7 times slower.
        new Goal("G15", "replicas-lost: p99 5 s afterwards, relative to before", 2, "replicas-lost", seed => P99Of(seed["replicas-lost"], 40, 45) / P99Of(seed["replicas-lost"], 10, 14)),
        .. scenarios.All.Where(scenario => scenario.Processes == scenarios.Processes && !scenario.IsColdStart && !scenario.Name.EndsWith("no fault", StringComparison.Ordinal)).SelectMany(Fleet),
    ];

    private static Goal P99(string name, string scenario, string healthy, double limit, string policy = Policy.Router) =>
        new(name, $"{scenario}, {policy}: p99 relative to the healthy p99", limit, scenario, seed => seed[scenario, policy].P99Ms / seed.HealthyP99(healthy));

    private static Goal[] Slow(string name, string scenario, double p99, double toRoundRobin, double p999, string policy) =>
    [
        P99(name, scenario, scenario, p99, policy),
        new Goal(name, $"{scenario}, {policy}: p99 relative to round robin's", toRoundRobin, scenario, seed => seed[scenario, policy].P99Ms / seed[scenario, RoundRobin].P99Ms),
        new Goal(name, $"{scenario}, {policy}: p99.9 relative to the healthy p99", p999, scenario, seed => seed[scenario, policy].P999Ms / seed.HealthyP99(scenario)),
    ];

    private static Goal[] Starved(string scenario, string policy) =>
    [
        new Goal("G3", $"{scenario}, {policy}: errors", 0, scenario, seed => seed[scenario, policy].Errors),
        P99("G3", scenario, scenario, 1.5, policy),
    ];

    private static Goal[] Healthy(string scenario) =>
    [
        Fast(scenario),
        new Goal("G5", $"{scenario}: largest deviation from the fair share", 0.02, scenario, seed => seed[scenario].ShareError),
    ];

    private static Goal Fast(string scenario) =>
        new("G5", $"{scenario}: p99 relative to round robin's", 1.03, scenario, seed => seed[scenario].P99Ms / seed[scenario, RoundRobin].P99Ms);

    private static Goal[] Overloaded(string policy) =>
    [
        new Goal("G14", $"overload-long, {policy}: lost goodput, as a share of the replicas' capacity", 0.1, "overload-long", seed => 1 - Goodput(seed["overload-long", policy], 16, 75, capacity: 3000)),
        new Goal("G14", $"overload-long, {policy}: p99 of answered operations, relative to before", 2, "overload-long", seed => seed["overload-long", policy].P99Ms / P99Of(seed["overload-long", policy], 10, 14)),
        new Goal("G14", $"overload-long, {policy}: errors from 5 s afterwards", 0, "overload-long", seed => ErrorsFrom(seed["overload-long", policy], 80)),
        new Goal("G14", $"overload-long, {policy}: p99 5 s afterwards, relative to before", 1.5, "overload-long", seed => P99Of(seed["overload-long", policy], 80, 85) / P99Of(seed["overload-long", policy], 10, 14)),
    ];

    private static Goal[] Fleet(Scenario scenario) =>
    [
        new Goal("probes", $"{scenario.Name}: probes per second and host by the whole fleet", 120, scenario.Name, seed => seed[scenario.Name].ProbesPerSecond),
        .. scenario.Name is "fleet" or "fleet-return" or "healthy-sparse"
            ? new[] { new Goal("share", $"{scenario.Name}: busiest host, relative to its fair share", 1.5, scenario.Name, seed => seed[scenario.Name].MaxShare) } : [],
    ];

    private static double Goodput(Figures figures, int from, int to, double capacity) => figures.Seconds.Skip(from).Take(to - from).Average(second => second.Answered) / capacity;

    private static double P99Of(Figures figures, int from, int to) => figures.Seconds.Skip(from).Take(to - from).Average(second => second.P99Ms);

    private static int ErrorsFrom(Figures figures, int from) => figures.Seconds.Skip(from).Sum(second => second.Errors);

    private static double SecondsToShare(Figures figures, int from, int replicas)
    {
        // Averages three seconds, because a single one varies by chance.
        for (var second = from; second < figures.Seconds.Count - 1; second++)
        {
            if (figures.Seconds.Skip(second - 1).Take(3).Average(each => each.SlowShare) * replicas >= 0.9) return second - from;
        }

        return double.PositiveInfinity;
    }
}
