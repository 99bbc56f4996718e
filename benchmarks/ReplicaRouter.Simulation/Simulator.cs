using System.Collections.Concurrent;

namespace ReplicaRouter.Simulation;

/// <summary>Runs scenarios. Each run is a separate world on one thread, so several can run in parallel without affecting each other.</summary>
internal static class Simulator
{
    public static Figures Run(Scenario scenario, Policy policy, int seed) => new World(scenario, policy, seed).Run();

    /// <param name="scenarios">The scenarios, each with all of its policies.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="done">Called after each run, on any thread.</param>
    public static SeedResults Run(IEnumerable<Scenario> scenarios, int seed, Action<Scenario, Policy, Figures>? done = null)
    {
        var runs = scenarios.SelectMany(scenario => scenario.Policies.Select(policy => (Scenario: scenario, Policy: policy))).ToArray();
        var figures = new Figures[runs.Length];
        OneByOne(runs.Length, i =>
        {
            figures[i] = Run(runs[i].Scenario, runs[i].Policy, seed);
            done?.Invoke(runs[i].Scenario, runs[i].Policy, figures[i]);
        });
        var results = new SeedResults(seed);
        for (var i = 0; i < runs.Length; i++) results.Add(runs[i].Scenario.Name, runs[i].Policy.Name, figures[i]);
        return results;
    }

    /// <summary>Calls an action for each number below a count, on all cores.</summary>
    public static void OneByOne(int count, Action<int> run)
    {
        // One world per core, because each is large and more would compete for the caches. Taken one by one, because the longest come last.
        var oneByOne = Partitioner.Create(Enumerable.Range(0, count), EnumerablePartitionerOptions.NoBuffering);
        Parallel.ForEach(oneByOne, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, run);
    }
}
