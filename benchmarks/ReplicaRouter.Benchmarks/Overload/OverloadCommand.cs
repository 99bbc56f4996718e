using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Benchmarks.Overload;

/// <summary><c>overload</c>: more reads than the servers can serve, then the loss of all replicas; with the limit that the router finds and with a constant one.</summary>
internal static class OverloadCommand
{
    /// <summary>The former default of <c>PrimaryProtection:MaxConcurrentReads</c>.</summary>
    private const int ConstantLimit = 16;

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    public static Command Create()
    {
        var seconds = CommandOption.Number("--seconds", "Length of the overload in seconds.", usual: 60, least: 10);
        var runs = CommandOption.Number("--runs", "Runs of each limit; the medians are printed.", usual: 1);
        var json = new Option<bool>("--json") { Description = "Prints the figures as one JSON object on the last line of standard output." };
        var command = new Command("overload", "Sends three times as many reads as all servers can serve, then kills all replicas for 20 s. Prints goodput, latency and time to recovery.") { seconds, runs, json };
        command.SetAction((parsed, ct) => RunAsync(TimeSpan.FromSeconds(parsed.GetValue(seconds)), parsed.GetValue(runs), parsed.GetValue(json), ct));
        return command;
    }

    private static async Task<int> RunAsync(TimeSpan length, int runs, bool isJson, CancellationToken ct)
    {
        await using var cluster = await BenchmarkCluster.StartAsync(isVictimSynchronous: false, ct);
        var (found, constant) = (new List<OverloadFigures>(), new List<OverloadFigures>());
        for (var run = 0; run < runs; run++)
        {
            found.Add(await MeasureAsync(cluster, null, length, ct));
            constant.Add(await MeasureAsync(cluster, ConstantLimit, length, ct));
        }

        var (figures, beside) = (OverloadFigures.MedianOf(found), OverloadFigures.MedianOf(constant));
        Print(figures, beside);
        if (isJson) Console.WriteLine(JsonSerializer.Serialize(Report(figures, beside), s_json));
        return figures.Holds ? 0 : 1;
    }

    private static async Task<OverloadFigures> MeasureAsync(LocalCluster cluster, int? constantLimit, TimeSpan length, CancellationToken ct)
    {
        var figures = await new OverloadRun(cluster, constantLimit, length).RunAsync(ct);
        await Console.Error.WriteLineAsync($"{(constantLimit is { } limit ? $"{limit} at once" : "found")}: {figures}");
        return figures;
    }

    private static object Report(OverloadFigures figures, OverloadFigures constant) =>
        new { figures.GoodputShare, figures.ReadP99Ratio, figures.SecondsToNormal, figures.ErrorsAfter, figures.Lost, StaticLimit = constant };

    private static void Print(OverloadFigures figures, OverloadFigures constant) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"""
        limit of fallback reads on the primary       found {ConstantLimit,9} at once
          three times as many reads as the servers can serve
            goodput to peak                       {figures.GoodputShare,8:0.00} {constant.GoodputShare,8:0.00}   at least 0.90
            p99 of answered reads to usual        {figures.ReadP99Ratio,8:0.00} {constant.ReadP99Ratio,8:0.00}   at most 2
          all replicas killed for 20 s
            goodput to the primary's peak         {figures.Lost.GoodputShare,8:0.00} {constant.Lost.GoodputShare,8:0.00}
            p99 of answered reads to usual        {figures.Lost.ReadP99Ratio,8:0.00} {constant.Lost.ReadP99Ratio,8:0.00}
            p99 of writes to usual                {figures.Lost.WriteP99Ratio,8:0.00} {constant.Lost.WriteP99Ratio,8:0.00}
          after both
            seconds to recovery                   {figures.SecondsToNormal,8:0} {constant.SecondsToNormal,8:0}   at most 5
            errors from 5 s on                    {figures.ErrorsAfter,8} {constant.ErrorsAfter,8}   none
        {(figures.Holds ? "holds" : "DOES NOT HOLD")}
        """));
}
