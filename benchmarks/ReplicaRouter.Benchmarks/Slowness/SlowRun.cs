using System.Diagnostics;
using ReplicaRouter.Benchmarks.Arms;
using ReplicaRouter.Benchmarks.Loads;
using ReplicaRouter.Benchmarks.Peers;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Benchmarks.Slowness;

/// <summary>One arm before replicas that become slow, and the same arm without them.</summary>
internal sealed class SlowRun(LocalCluster cluster, IImpediment impediment, IReadOnlyList<LocalServer> victims, TimeSpan length, double rate)
{
    // In its first second an arm's connections, plans and code are cold, and a router can't tell that from a slow host.
    private static readonly TimeSpan s_warmUp = TimeSpan.FromSeconds(2);

    // What it costs to find out, and to do with fewer hosts from then on, is another figure: the fleet's simulation has it.
    private static readonly TimeSpan s_settle = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_watched = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(100);

    public async Task<SlowFigures> MeasureAsync(Peer peer, CancellationToken ct)
    {
        var reach = impediment.Reach with { PoolSize = SteadyRun.PoolSize };
        var without = await MeasureWithoutAsync(peer, reach, ct);
        await using var arm = await peer.StartAsync(reach, ct);
        var read = Reading(arm);
        await ClosedLoop.RunAsync(read, SteadyRun.Workers, s_warmUp, new(cluster.Servers), ct);
        impediment.Begin(victims);
        try
        {
            var with = await MeasureLoadsAsync(read, ct);
            return new()
            {
                Open = Compare(with.Open, without.Open),
                Closed = Compare(with.Closed, without.Closed),
                NoticedAfter = await RecoverAsync(read, reach, ct),
            };
        }
        finally
        {
            impediment.End();
        }
    }

    /// <summary>The slow hosts are there and take their share of the machine, only the arm does not know them.</summary>
    private async Task<(Measured Open, Measured Closed)> MeasureWithoutAsync(Peer peer, Reach reach, CancellationToken ct)
    {
        impediment.Begin(victims);
        try
        {
            await using var arm = await peer.StartAsync(reach.Without(victims), ct);
            var read = Reading(arm);
            await ClosedLoop.RunAsync(read, SteadyRun.Workers, s_warmUp, new(cluster.Servers), ct);
            return await MeasureLoadsAsync(read, ct);
        }
        finally
        {
            impediment.End();
        }
    }

    private async Task<(Measured Open, Measured Closed)> MeasureLoadsAsync(Func<CancellationToken, Task<int>> read, CancellationToken ct)
    {
        var (open, closed) = (new Tally(cluster.Servers), new Tally(cluster.Servers));
        await OpenLoop.RunAsync(read, rate, s_settle, new(cluster.Servers), ct);
        var start = Stopwatch.GetTimestamp();
        await OpenLoop.RunAsync(read, rate, length, open, ct);
        var openRate = open.Operations / Stopwatch.GetElapsedTime(start).TotalSeconds;
        var closedRate = await ClosedLoop.RunAsync(read, SteadyRun.Workers, length, closed, ct);
        return (new(open, openRate), new(closed, closedRate));
    }

    /// <summary>Under load throughout: whoever has nothing to send can't notice anything, nor has to.</summary>
    private async Task<TimeSpan> RecoverAsync(Func<CancellationToken, Task<int>> read, Reach reach, CancellationToken ct)
    {
        var enough = (double)victims.Count / reach.Replicas.Count / 2;
        var (tally, isOver) = (new Tally(cluster.Servers), false);
        var load = ClosedLoop.RunAsync(read, SteadyRun.Workers, () => Volatile.Read(ref isOver), tally, ct);
        impediment.End();
        var healed = Stopwatch.GetTimestamp();
        for (var share = 0.0; share < enough && Stopwatch.GetElapsedTime(healed) < s_watched;)
        {
            var (all, theirs) = (tally.Operations, victims.Sum(tally.ServedBy));
            await Task.Delay(s_look, ct);
            share = (double)(victims.Sum(tally.ServedBy) - theirs) / Math.Max(1, tally.Operations - all);
        }

        var noticed = Stopwatch.GetElapsedTime(healed);
        Volatile.Write(ref isOver, true);
        await load;
        return noticed;
    }

    private LoadFigures Compare(Measured with, Measured without) => new(
        with.Tally.Percentile(99), without.Tally.Percentile(99), with.Tally.ShareOf(victims), with.OpsPerSecond / without.OpsPerSecond, with.Tally.Errors.Values.Sum());

    private static Func<CancellationToken, Task<int>> Reading(IReadArm arm) => ct => arm.ReadAsync(AccountTable.ReadAsync, ct);

    private sealed record Measured(Tally Tally, double OpsPerSecond);
}
