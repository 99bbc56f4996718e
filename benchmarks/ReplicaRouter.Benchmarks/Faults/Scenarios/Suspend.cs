namespace ReplicaRouter.Benchmarks.Faults.Scenarios;

/// <summary>All processes of a replica are frozen for the rest of the run, and thawed for a tail of half its length.</summary>
internal sealed class Suspend : Scenario
{
    public override string Name => "suspend";

    public override async Task<Recovery> RunAsync(Stand stand, Timeline timeline, CancellationToken ct)
    {
        await timeline.UntilAsync(Onset, ct);
        stand.Victim.Suspend();
        await timeline.UntilAsync(1, ct);
        stand.Victim.Resume();
        var resumed = Timeline.Now;
        await timeline.UntilAsync(EndOfTail, ct);
        return new(stand.Victim.Port, TakesReads: resumed);
    }
}
