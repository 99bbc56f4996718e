using System.CommandLine;
using ReplicaRouter.Benchmarks.Peers;
using ReplicaRouter.Benchmarks.Slowness;
using Spectre.Console;

namespace ReplicaRouter.Benchmarks.Reports;

/// <summary>Compares the router with its peers in one run.</summary>
internal static class ComparisonCommand
{
    private const int TableWidth = 170;

    private static readonly string[] s_scenarios =
        [ComparisonOptions.Steady, .. SlowScenario.All.Select(scenario => scenario.Name), ComparisonOptions.Hedging, ComparisonOptions.Memory, ComparisonOptions.Micro];

    /// <summary>Makes the comparison the action of a command without a subcommand.</summary>
    public static void AddTo(Command command)
    {
        var scenarios = CommandOption.Names("--scenario", "A scenario to measure; repeatable. All by default.", s_scenarios);
        var arms = CommandOption.Names("--arm", "An arm to measure; repeatable. All by default.", Peer.All.Concat(Peer.Balancing).Select(peer => peer.Name).Distinct());
        var rounds = CommandOption.Number("--rounds", "Turns of each peer on healthy servers.", 3);
        var slowRounds = CommandOption.Number("--slow-rounds", "Turns of each arm with slow replicas, and of hedging. Each takes six minutes.", 3);
        var seconds = CommandOption.Number("--seconds", "Length of each load in seconds.", 2);
        var rate = CommandOption.Number("--rate", "Arrivals per second of open-loop loads.", 1000);
        var network = CommandOption.Number("--network-ms", "Network latency added to each round trip on healthy servers, in ms.", 0, least: 0);
        var rest = CommandOption.Number("--rest-seconds", "Seconds of normal load between a peak and the measurement after it.", 1);
        var added = new Option<double?>("--slow-ms") { Description = "Latency added to each round trip to a slow replica, in ms. Nine times the measured one by default." };
        var json = new Option<bool>("--json") { Description = "Prints the figures as one JSON object on the last line of standard output." };
        var folder = new Option<string?>("--report") { Description = "Folder of the report. Default: benchmarks/results, or artifacts/bench/part for a partial run." };
        foreach (var option in (Option[])[scenarios, arms, rounds, slowRounds, seconds, rate, network, rest, added, json, folder]) command.Add(option);
        command.SetAction((parsed, ct) => RunAsync(new()
        {
            Scenarios = parsed.GetValue(scenarios) ?? [],
            Arms = parsed.GetValue(arms) ?? [],
            Rounds = parsed.GetValue(rounds),
            SlowRounds = parsed.GetValue(slowRounds),
            Length = TimeSpan.FromSeconds(parsed.GetValue(seconds)),
            Rate = parsed.GetValue(rate),
            NetworkDelay = TimeSpan.FromMilliseconds(parsed.GetValue(network)),
            Rest = TimeSpan.FromSeconds(parsed.GetValue(rest)),
            AddedLatency = parsed.GetValue(added) is { } ms ? TimeSpan.FromMilliseconds(ms) : null,
            IsJson = parsed.GetValue(json),
            Folder = parsed.GetValue(folder),
        }, ct));
    }

    private static async Task RunAsync(ComparisonOptions options, CancellationToken ct)
    {
        var results = await new Comparison(options, Console.Error.WriteLine).RunAsync(ct);
        // A pipe has no width.
        if (Console.IsOutputRedirected) AnsiConsole.Profile.Width = TableWidth;
        foreach (var table in Tables.Of(results)) table.Print();
        foreach (var (arm, figures) in results.Steady)
        {
            foreach (var (error, count) in figures.Medians.Errors) AnsiConsole.WriteLine($"{arm}: {count} x {error}");
        }

        var folder = options.Folder ?? Path.Combine(options.IsWhole ? "benchmarks/results" : "artifacts/bench/part");
        await Report.WriteAsync(results, folder, ct);
        AnsiConsole.WriteLine($"Report: {folder}/README.md");
        if (options.IsJson) Console.WriteLine(Summary.Json(results));
    }
}
