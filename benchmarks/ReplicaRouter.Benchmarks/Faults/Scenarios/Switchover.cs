using ReplicaRouter.Testing;

namespace ReplicaRouter.Benchmarks.Faults.Scenarios;

/// <summary>A planned switchover to a replica; the former primary returns as a standby.</summary>
internal sealed class Switchover : Scenario
{
    public override string Name => "switchover";

    public override async Task<Recovery> RunAsync(Stand stand, Timeline timeline, CancellationToken ct)
    {
        await timeline.UntilAsync(Onset, ct);
        var former = stand.Cluster.Primary;
        await former.StopAsync(StopMode.Fast, ct);
        var writable = await Successor.PromoteAsync(stand.Cluster, stand.Victim, ct);
        await stand.Cluster.RejoinAsync(former.Name, ct);
        await timeline.UntilAsync(1, ct);
        return new(stand.Victim.Port, TakesWrites: writable);
    }
}
