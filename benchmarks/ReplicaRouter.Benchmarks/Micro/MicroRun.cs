namespace ReplicaRouter.Benchmarks.Micro;

/// <summary>Measures the router's own work in this process.</summary>
internal static class MicroRun
{
    // Blocks of a tenth of a millisecond usually end before the scheduler gives the core to another process.
    private const int PicksInBlock = 2_000;
    private const int OpensInBlock = 400;
    private const int WarmUps = 250;
    private const int Rounds = 3_000;

    public static async Task<MicroFigures> MeasureAsync()
    {
        var (three, sixteen) = (new GetClientBenchmarks { Hosts = 3 }, new GetClientBenchmarks { Hosts = 16 });
        three.Setup();
        sixteen.Setup();
        var picks = await Interleaved.MeasureAsync(PicksInBlock, WarmUps, Rounds, count => Pick(three, count), count => Pick(sixteen, count));
        three.Cleanup();
        sixteen.Cleanup();

        var open = new OpenConnectionBenchmarks();
        await open.SetupAsync();
        try
        {
            var opens = await Interleaved.MeasureAsync(OpensInBlock, WarmUps, Rounds,
                count => RepeatAsync(open.SingleHost, count), count => RepeatAsync(open.MultiHost, count), count => RepeatAsync(open.Router, count));
            var (single, multi, router) = (opens[0], opens[1], opens[2]);
            return new()
            {
                Pick3 = Cost.Of(picks[0]),
                Pick16 = Cost.Of(picks[1]),
                SingleHost = Cost.Of(single),
                MultiHost = Cost.Of(multi),
                Router = Cost.Of(router),
                ToSingleHost = router.RatioTo(single),
                ToMultiHost = router.RatioTo(multi),
            };
        }
        finally
        {
            await open.CleanupAsync();
        }
    }

    private static Task Pick(GetClientBenchmarks benchmark, int count)
    {
        for (var i = 0; i < count; i++) benchmark.Read();
        return Task.CompletedTask;
    }

    private static async Task RepeatAsync(Func<Task> operation, int count)
    {
        for (var i = 0; i < count; i++) await operation();
    }
}
