namespace ReplicaRouter.Benchmarks.Micro;

/// <summary>The router's own work: what the micro-benchmarks measure, shorter, and side by side in one process.</summary>
internal sealed record MicroFigures
{
    // Blocks of a tenth of a millisecond: mostly over before the scheduler gives the core to somebody else.
    private const int PicksInBlock = 2_000;
    private const int OpensInBlock = 400;
    private const int WarmUps = 250;
    private const int Rounds = 3_000;

    /// <summary>Choosing among 3 hosts.</summary>
    public required Timing Pick3 { get; init; }

    /// <summary>Choosing among 16 hosts.</summary>
    public required Timing Pick16 { get; init; }

    /// <summary>Opening and closing a pooled connection: Npgsql, one host.</summary>
    public required Timing SingleHost { get; init; }

    /// <inheritdoc cref="SingleHost"/>
    public required Timing MultiHost { get; init; }

    /// <inheritdoc cref="SingleHost"/>
    public required Timing Router { get; init; }

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
            return new() { Pick3 = picks[0], Pick16 = picks[1], SingleHost = opens[0], MultiHost = opens[1], Router = opens[2] };
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
