using Accounting.Seeding;
using Demo.Display;
using ReplicaRouter.Testing;

namespace Demo.Traffic;

/// <summary>Runs all workers at their pace, along with the table and the drill, until time is up.</summary>
internal static class TrafficRunner
{
    /// <summary>Longest time that an operation in progress can take after the end.</summary>
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(10);

    public static async Task RunAsync(
        DemoApplication application, LocalCluster cluster, Tally tally, DemoOptions options, Screen screen, TimeProvider time, CancellationToken stopToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stopToken);
        if (options.Duration is { } duration) end.CancelAfter(duration);
        // Operations in progress at the end can complete, so that none counts as an error because it was cut off.
        using var cut = new CancellationTokenSource();
        using var armed = end.Token.Register(() => cut.CancelAfter(s_grace));

        var workers = new Workers(application.Services, new SampleIds(SampleData.FromSeed(Seed.DefaultSeed)), tally);
        var tasks = Plan(workers).Select((plan, index) => WorkAsync(plan.Round, plan.Pace, new Random(index), time, end.Token, cut.Token)).ToList();
        if (options.Drill) tasks.Add(Drill.RunAsync(cluster["background"], tally, options, screen, time, end.Token));
        tasks.Add(screen.ShowAsync(application.Router, tally, time, end.Token));
        await Task.WhenAll(tasks);
    }

    /// <summary>About 400 operations a second: half of what two cores can do that also run four servers.</summary>
    private static IEnumerable<(Func<Random, CancellationToken, Task> Round, TimeSpan Pace)> Plan(Workers workers) =>
    [
        .. Several(4, workers.BrowseAsync, 20),
        .. Several(2, workers.PayAsync, 50),
        .. Several(2, workers.ReportAsync, 60),
        .. Several(2, workers.WatchJobsAsync, 60),
        .. Several(2, workers.TakeOnClientAsync, 100),
        .. Several(2, workers.ProcessOcrQueueAsync, 200),
        .. Several(1, workers.FileDocumentAsync, 60),
    ];

    private static IEnumerable<(Func<Random, CancellationToken, Task> Round, TimeSpan Pace)> Several(int count, Func<Random, CancellationToken, Task> round, int paceMs) =>
        Enumerable.Repeat((round, TimeSpan.FromMilliseconds(paceMs)), count);

    private static async Task WorkAsync(
        Func<Random, CancellationToken, Task> round, TimeSpan pace, Random random, TimeProvider time, CancellationToken endToken, CancellationToken cutToken)
    {
        // Leaves the caller's thread, and spreads the starts of equal workers.
        await PauseAsync(pace * random.NextDouble(), time, endToken);
        while (!endToken.IsCancellationRequested)
        {
            await round(random, cutToken);
            await PauseAsync(pace, time, endToken);
        }
    }

    /// <summary>Waits for a pause. At the end it returns early instead of throwing.</summary>
    public static Task PauseAsync(TimeSpan pause, TimeProvider time, CancellationToken endToken) =>
        Task.Delay(pause, time, endToken).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
}
