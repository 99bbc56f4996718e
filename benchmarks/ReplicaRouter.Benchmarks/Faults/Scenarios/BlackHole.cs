namespace ReplicaRouter.Benchmarks.Faults.Scenarios;

/// <summary>The network to a replica drops everything for the rest of the run, and is restored for a tail of half its length.</summary>
internal sealed class BlackHole : Scenario
{
    public override string Name => "blackhole";

    public override bool NeedsProxy => true;

    public override async Task<Recovery> RunAsync(Stand stand, Timeline timeline, CancellationToken ct)
    {
        await timeline.UntilAsync(Onset, ct);
        stand.Proxy.Silence();
        await timeline.UntilAsync(1, ct);
        stand.Proxy.Heal();
        var healed = Timeline.Now;
        await timeline.UntilAsync(EndOfTail, ct);
        return new(stand.Victim.Port, TakesReads: healed);
    }
}
