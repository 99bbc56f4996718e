namespace ReplicaRouter.Benchmarks.Faults.Scenarios;

/// <summary>A replica is killed, and started again halfway through the run.</summary>
internal sealed class Kill : Scenario
{
    public override string Name => "kill";

    public override async Task<Recovery> RunAsync(Stand stand, Timeline timeline, CancellationToken ct)
    {
        await timeline.UntilAsync(Onset, ct);
        await stand.Victim.KillAsync(ct);
        await timeline.UntilAsync(0.5, ct);
        await stand.Victim.StartAsync(ct);
        var ready = Timeline.Now;
        await timeline.UntilAsync(1, ct);
        return new(stand.Victim.Port, TakesReads: ready);
    }
}
