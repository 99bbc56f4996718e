using System.Diagnostics;
using ReplicaRouter.Benchmarks.Arms;
using ReplicaRouter.Benchmarks.Loads;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Benchmarks.Peers;

/// <summary>Measures one arm on healthy servers: warm-up, eight workers with fresh pools, a peak, eight workers, one worker, arrivals at a fixed rate.</summary>
/// <remarks>
/// Creates each arm for its turn only, because a router in the same process, which listens to Npgsql's meter, would slow down plain Npgsql.
/// An application's pools have seen a peak, and keep its connections for minutes. Npgsql hands out the connection that has been idle for longest, whose backend is cold.
/// Before its first peak, a pool to one server has no spare connection, and a caller's next read goes to a backend that is still warm from the last one; several pools
/// have spare connections from the start.
/// </remarks>
internal sealed class SteadyRun(LocalCluster cluster, Reach reach, SteadyPlan plan)
{
    public const int Workers = 8;

    /// <summary>Maximum number of connections to one server in every arm: the router's default for reads.</summary>
    public const int PoolSize = 30;

    private const int PeakWorkers = 3 * Workers;

    private static readonly TimeSpan s_warmUp = TimeSpan.FromSeconds(1);

    public async Task<SteadySlice> MeasureAsync(Peer peer, CancellationToken ct)
    {
        await using var arm = await peer.StartAsync(reach, ct);
        Task<int> ReadAsync(CancellationToken inner) => arm.ReadAsync(AccountTable.ReadAsync, inner);
        await ClosedLoop.RunAsync(ReadAsync, Workers, s_warmUp, NewTally(), ct);

        var tally = NewTally();
        var fresh = await ClosedLoop.RunAsync(ReadAsync, Workers, plan.Length / 2, tally, ct);
        await ClosedLoop.RunAsync(ReadAsync, PeakWorkers, s_warmUp / 2, tally, ct);
        await ClosedLoop.RunAsync(ReadAsync, Workers, plan.Rest, tally, ct);
        var before = tally.Operations;
        var cpu = new CpuMeter([Path.GetDirectoryName(cluster.Primary.DataDirectory)!, .. arm is ProxyArm proxy ? [proxy.Folder] : Array.Empty<string>()]);
        GC.Collect();
        var (machineBefore, start) = (CpuMeter.Machine(), Stopwatch.GetTimestamp());
        var (cpuBefore, bytesBefore, collectionsBefore) = (cpu.Read(), GC.GetTotalAllocatedBytes(precise: true), Collections());
        var opsPerSecond = await ClosedLoop.RunAsync(ReadAsync, Workers, plan.Length, tally, ct);
        var (operations, bytes, collections) = (Math.Max(1, tally.Operations - before), GC.GetTotalAllocatedBytes(precise: true) - bytesBefore, Collections() - collectionsBefore);
        var cpuTime = cpu.Read() - cpuBefore;
        var others = (CpuMeter.Machine() - machineBefore - cpuTime) / (Stopwatch.GetElapsedTime(start) * Environment.ProcessorCount);

        var connections = await CountConnectionsAsync(ct);
        var alone = await ClosedLoop.RunAsync(ReadAsync, workers: 1, plan.Length / 2, tally, ct);
        var timed = NewTally();
        await OpenLoop.RunAsync(ReadAsync, plan.Rate, plan.Length, timed, ct);
        return new()
        {
            OpsPerSecond = opsPerSecond,
            OpsPerSecondFresh = fresh,
            OpsPerSecondAlone = alone,
            CpuUsPerOp = cpuTime.TotalMicroseconds / operations,
            BytesPerOp = (double)bytes / operations,
            P50Ms = timed.Percentile(50),
            P99Ms = timed.Percentile(99),
            P999Ms = timed.Percentile(99.9),
            Connections = connections,
            Collections = collections,
            Disturbance = Math.Max(0, others),
            Errors = tally.Errors.Concat(timed.Errors).GroupBy(error => error.Key, error => error.Value).ToDictionary(error => error.Key, error => error.Sum()),
        };
    }

    private async Task<int> CountConnectionsAsync(CancellationToken ct)
    {
        var all = 0;
        foreach (var replica in reach.Replicas)
        {
            all += await replica.QueryAsync<int>("SELECT count(*)::int - 1 FROM pg_stat_activity WHERE backend_type = 'client backend'", ct);
        }

        return all;
    }

    private Tally NewTally() => new(cluster.Servers);

    private static int Collections() => GC.CollectionCount(1);
}
