using ReplicaRouter.Benchmarks.Arms;

namespace ReplicaRouter.Benchmarks.Faults;

/// <summary>One scenario with one arm, on its own cluster.</summary>
internal sealed class FaultRun(Scenario scenario, ArmKind kind, TimeSpan length)
{
    private static readonly TimeSpan s_warmUp = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    public async Task<Figures> RunAsync(CancellationToken ct)
    {
        await using var stand = await Stand.StartAsync(scenario, ct);
        var arm = kind.Create(stand, scenario);
        try
        {
            return await MeasureAsync(stand, arm, ct);
        }
        finally
        {
            // An arm with a hung connection must not block the rest: its servers stop in a moment.
            await Task.WhenAny(arm.DisposeAsync().AsTask(), Task.Delay(s_patience, CancellationToken.None));
        }
    }

    private async Task<Figures> MeasureAsync(Stand stand, IArm arm, CancellationToken ct)
    {
        await using var load = new Load(arm, scenario.Readers, ct);
        await Task.Delay(s_warmUp, ct);
        var timeline = new Timeline(length);
        var recovery = await scenario.RunAsync(stand, timeline, ct);
        var operations = load.Stop();
        var end = Timeline.Now;
        var audit = await Audit.OfAsync(stand.Cluster.Primary.ConnectionString, operations, ct);
        var measured = operations.Where(operation => operation.Started >= timeline.Start).ToList();
        await ReportAsync(stand, measured);
        return Figures.Of(measured, audit, recovery, timeline, end);
    }

    private async Task ReportAsync(Stand stand, List<Operation> operations)
    {
        var names = stand.Cluster.Servers.ToDictionary(server => server.Port, server => server.Name);
        var served = operations.Where(operation => operation.Answer is not null)
            .CountBy(operation => $"{names[operation.Answer!.Value.Port]} {(operation.IsWrite ? "writes" : "reads")}");
        await Console.Error.WriteLineAsync($"{scenario.Name}, {kind.Name}: {string.Join(", ", served.OrderBy(count => count.Key, StringComparer.Ordinal).Select(count => $"{count.Value} {count.Key}"))}");
        foreach (var (error, count) in operations.Where(operation => operation.Error is not null).CountBy(operation => operation.Error!).OrderByDescending(error => error.Value))
        {
            await Console.Error.WriteLineAsync($"  {count} x {error}");
        }
    }
}
