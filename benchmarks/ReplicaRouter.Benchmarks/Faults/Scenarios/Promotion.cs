namespace ReplicaRouter.Benchmarks.Faults.Scenarios;

/// <summary>The primary is killed, and a replica is promoted a second later. The replica has every commit, so that any lost write is the fault of the arm.</summary>
internal sealed class Promotion : Scenario
{
    public override string Name => "promotion";

    public override bool NeedsSynchronousVictim => true;

    public override async Task<Recovery> RunAsync(Stand stand, Timeline timeline, CancellationToken ct)
    {
        await timeline.UntilAsync(Onset, ct);
        await stand.Cluster.Primary.KillAsync(ct);
        await Task.Delay(TimeSpan.FromSeconds(1), ct);
        var writable = await Successor.PromoteAsync(stand.Cluster, stand.Victim, ct);
        await timeline.UntilAsync(1, ct);
        return new(stand.Victim.Port, TakesWrites: writable);
    }
}
