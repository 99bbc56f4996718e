using Dapper;
using Jobs.Orders;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using ReplicaRouter;
using ReplicaRouter.Testing;

namespace Jobs.Acceptance;

/// <summary>Runs producers against delayed replicas. Each producer places its next order when it has the receipt of the last one.</summary>
public sealed class JobRun
{
    /// <summary>The replica that is promoted. It is synchronous, so no acknowledged commit is lost with the primary.</summary>
    private const string Successor = "background";

    /// <summary>Longest time for one order. A job that was in progress on a killed primary is run again within it.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(3);

    private readonly JobRunOptions _options;
    private readonly LocalCluster _cluster;
    private readonly DatabaseRouter _router;
    private readonly OrderService _orders;
    private readonly ReceiptService _receipts;
    private readonly IReceiptQueue _queue;
    private int _placed;
    private int _repeated;

    private JobRun(JobRunOptions options, LocalCluster cluster, IServiceProvider services)
    {
        _options = options;
        _cluster = cluster;
        _router = services.GetRequiredService<DatabaseRouter>();
        _orders = services.GetRequiredService<OrderService>();
        _receipts = services.GetRequiredService<ReceiptService>();
        _queue = services.GetRequiredService<IReceiptQueue>();
    }

    /// <summary>Starts a cluster and the application, and processes all orders.</summary>
    public static async Task<JobRunReport> RunAsync(JobRunOptions options, CancellationToken ct)
    {
        await using var cluster = await LocalCluster.StartAsync(new LocalClusterOptions
        {
            Replicas = [new() { Name = "analytics" }, new() { Name = Successor, IsSynchronous = options.WithFailover }],
        }, ct);
        // Without pg_monitor, sessions read from the primary for a while after a promotion.
        await using (var superuser = new NpgsqlConnection(cluster.Primary.SuperuserConnectionString)) await superuser.ExecuteAsync("GRANT pg_monitor TO app");
        using var host = JobsApplication.Build(options.System, cluster.EnvironmentVariables);
        await host.Services.GetRequiredService<OrderService>().CreateTablesAsync(ct);
        await host.StartAsync(ct);
        await cluster.WaitForReplicationAsync(ct);
        foreach (var replica in cluster.Servers.Skip(1)) await replica.SetApplyDelayAsync(options.ApplyDelay, ct);

        var report = await new JobRun(options, cluster, host.Services).RunAsync(ct);
        await host.StopAsync(ct);
        return report;
    }

    private async Task<JobRunReport> RunAsync(CancellationToken ct)
    {
        var start = TimeProvider.System.GetTimestamp();
        var producers = Task.WhenAll(Enumerable.Range(0, _options.Producers).Select(_ => Task.Run(() => ProduceAsync(ct), ct)));
        if (_options.WithFailover) await FailOverAsync(ct);
        await producers;
        var took = TimeProvider.System.GetElapsedTime(start);

        await using var connection = new NpgsqlConnection(_cluster.Primary.ConnectionString);
        var (orders, receipts, missed, fromReplicas) = await connection.QuerySingleAsync<(int, int, int, int)>(
            """
            SELECT (SELECT count(*) FROM orders)::int, count(*)::int, (count(*) FILTER (WHERE NOT order_found))::int, (count(*) FILTER (WHERE from_replica))::int
            FROM receipts
            """);
        return new JobRunReport(orders, receipts, missed, fromReplicas, _repeated, took);
    }

    private async Task ProduceAsync(CancellationToken ct)
    {
        while (Interlocked.Increment(ref _placed) <= _options.Jobs)
        {
            var id = Guid.NewGuid();
            var madeOut = _receipts.MadeOutAsync(id);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
            limit.CancelAfter(s_patience);
            while (!await TryPlaceAsync(id, limit.Token)) Interlocked.Increment(ref _repeated);
            // A lost job shows up as a missing receipt.
            await Task.WhenAny(madeOut, Task.Delay(s_patience, ct));
        }
    }

    private async Task<bool> TryPlaceAsync(Guid id, CancellationToken ct)
    {
        using var session = _options.WithTokens ? _router.BeginSession() : null;
        try
        {
            await _orders.PlaceAsync(id, ct);
            await _queue.EnqueueAsync(id, ct);
            return true;
        }
        catch (Exception) when (_options.WithFailover && !ct.IsCancellationRequested)
        {
            // The outcome is unknown. Both calls can be repeated.
            await Task.Delay(100, ct);
            return false;
        }
    }

    private async Task FailOverAsync(CancellationToken ct)
    {
        while (Volatile.Read(ref _placed) < _options.Jobs / 2) await Task.Delay(10, ct);
        await _cluster.Primary.KillAsync(ct);
        await _cluster.PromoteAsync(Successor, cancellationToken: ct);
    }
}
