namespace ReplicaRouter.Benchmarks.Faults.Scenarios;

/// <summary>All replicas fall behind for half of the run, under many reads: an arm that respects the lag must serve them from the primary.</summary>
internal sealed class Lag : Scenario
{
    public override string Name => "lag";

    public override int Readers => 200;

    public override void Configure(DatabaseRouterOptions options)
    {
        options.MaxLag = TimeSpan.FromSeconds(1);
        options.Health.Interval = TimeSpan.FromMilliseconds(200);
    }

    public override async Task<Recovery> RunAsync(Stand stand, Timeline timeline, CancellationToken ct)
    {
        var replicas = stand.Cluster.Servers.Where(server => server != stand.Cluster.Primary).ToList();
        await timeline.UntilAsync(Onset, ct);
        await Task.WhenAll(replicas.Select(replica => replica.PauseReplayAsync(ct)));
        await timeline.UntilAsync(EndOfFault, ct);
        await Task.WhenAll(replicas.Select(replica => replica.ResumeReplayAsync(ct)));
        await timeline.UntilAsync(1, ct);
        return default;
    }
}
