using System.Diagnostics;
using ReplicaRouter.Benchmarks.Arms;
using ReplicaRouter.Benchmarks.Loads;
using ReplicaRouter.Benchmarks.Peers;
using ReplicaRouter.Testing;
using Read = System.Func<System.Threading.CancellationToken, System.Threading.Tasks.Task<int>>;

namespace ReplicaRouter.Benchmarks.Slowness;

/// <summary>Measures one arm with replicas that become slow, and the same arm without them.</summary>
/// <remarks>The two take turns, because a small machine's throughput can change by half from one second to the next.</remarks>
internal sealed class SlowRun(LocalCluster cluster, IImpediment impediment, IReadOnlyList<LocalServer> victims, TimeSpan length, double rate)
{
    // In the first second, connections, plans and code are cold, which a router cannot distinguish from a slow host.
    private static readonly TimeSpan s_warmUp = TimeSpan.FromSeconds(2);

    // Excluded from each load: the cost of detecting slow hosts and of moving to the others. The fleet simulation measures it.
    private static readonly TimeSpan s_settle = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan s_turn = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan s_watched = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(100);

    public async Task<SlowFigures> MeasureAsync(Peer peer, CancellationToken ct)
    {
        var reach = impediment.Reach with { PoolSize = SteadyRun.PoolSize };
        await using var armWith = await peer.StartAsync(reach, ct);
        await using var armWithout = await peer.StartAsync(reach.Without(victims), ct);
        var (with, without) = (Reading(armWith), Reading(armWithout));
        await AlternateAsync(with, without, s_warmUp, WorkAsync);
        impediment.Begin(victims);
        try
        {
            await AlternateAsync(with, without, s_settle, ArriveAsync);
            await AlternateAsync(with, without, s_settle, WorkAsync);
            return new()
            {
                Open = await AlternateAsync(with, without, length, ArriveAsync),
                Closed = await AlternateAsync(with, without, length, WorkAsync),
                NoticedAfter = await RecoverAsync(with, reach, ct),
            };
        }
        finally
        {
            impediment.End();
        }

        Task ArriveAsync(Read read, Tally tally) => OpenLoop.RunAsync(read, rate, s_turn, tally, ct);
        Task WorkAsync(Read read, Tally tally) => ClosedLoop.RunAsync(read, SteadyRun.Workers, s_turn, tally, ct);
    }

    /// <summary>Runs both arms in turns. The slow hosts use their share of the machine in both; one arm just does not know them.</summary>
    private async Task<LoadFigures> AlternateAsync(Read with, Read without, TimeSpan each, Func<Read, Tally, Task> runAsync)
    {
        var (slow, other) = (new Side(with, new(cluster.Servers)), new Side(without, new(cluster.Servers)));
        for (var turn = 0; turn < each / s_turn; turn++)
        {
            foreach (var side in turn % 2 == 0 ? (Side[])[slow, other] : [other, slow]) await side.RunAsync(runAsync);
        }

        return new(slow.Tally.Percentile(99), other.Tally.Percentile(99), slow.Tally.ShareOf(victims), slow.OpsPerSecond / other.OpsPerSecond, slow.Tally.Errors.Values.Sum());
    }

    /// <summary>Returns the time until the recovered hosts are used again. The load continues, because an arm without requests cannot notice.</summary>
    private async Task<TimeSpan> RecoverAsync(Read read, Reach reach, CancellationToken ct)
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

    private static Read Reading(IReadArm arm) => ct => arm.ReadAsync(AccountTable.ReadAsync, ct);

    /// <summary>The results of one arm over all its turns.</summary>
    private sealed class Side(Read read, Tally tally)
    {
        private TimeSpan _elapsed;

        public Tally Tally => tally;

        public double OpsPerSecond => tally.Operations / _elapsed.TotalSeconds;

        public async Task RunAsync(Func<Read, Tally, Task> runAsync)
        {
            var start = Stopwatch.GetTimestamp();
            await runAsync(read, tally);
            _elapsed += Stopwatch.GetElapsedTime(start);
        }
    }
}
