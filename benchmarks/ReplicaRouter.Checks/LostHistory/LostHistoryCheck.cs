using Dapper;
using Npgsql;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Checks.LostHistory;

/// <summary>
/// Counts sessions that report a lost history although nothing was lost: on a healthy cluster, and after failovers with synchronous replication.
/// </summary>
/// <remarks>Each session moves between processes by its token, which is the only information that the processes share.</remarks>
public sealed class LostHistoryCheck
{
    private const int Processes = 3;

    private readonly LocalCluster _cluster;
    private readonly SessionProcess[] _processes;
    private long _sessions, _lostHistories, _errors, _violations;

    private LostHistoryCheck(LocalCluster cluster, SessionProcess[] processes)
    {
        _cluster = cluster;
        _processes = processes;
    }

    /// <summary>Starts a cluster and the processes, runs the check and stops them.</summary>
    /// <exception cref="InvalidOperationException">A process ended before the check did.</exception>
    public static async Task<LostHistoryReport> RunAsync(LostHistoryCheckOptions options, CancellationToken ct = default)
    {
        await using var cluster = await LocalCluster.StartAsync(new LocalClusterOptions
        {
            Replicas = [new() { Name = "analytics", IsSynchronous = true }, new() { Name = "background" }, new() { Name = "replica-3" }],
        }, ct);
        await using (var connection = new NpgsqlConnection(cluster.Primary.ConnectionString)) await connection.ExecuteAsync(Register.CreateTable);
        await cluster.GrantMonitorAsync();
        await cluster.WaitForReplicationAsync(ct);

        SessionProcess[] processes = [.. Enumerable.Range(0, Processes).Select(_ => SessionProcess.Start(cluster))];
        try
        {
            return await new LostHistoryCheck(cluster, processes).CountAsync(options, ct);
        }
        finally
        {
            foreach (var process in processes) await process.DisposeAsync();
        }
    }

    private async Task<LostHistoryReport> CountAsync(LostHistoryCheckOptions options, CancellationToken ct)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var workers = Task.WhenAll(Enumerable.Range(0, options.Sessions).Select(id => Task.Run(() => WorkAsync(id, stop.Token), ct)));
        await LetWorkAsync(options.Duration);
        var healthy = Figures();
        if (options.HasFailover)
        {
            await _cluster.Primary.KillAsync(ct);
            await _cluster.PromoteAsync("analytics", cancellationToken: ct);
            // Long enough for each session to continue from before the failover, and to see the new primary's first answers.
            await LetWorkAsync(TimeSpan.FromSeconds(10));
        }

        await stop.CancelAsync();
        await workers;
        return new LostHistoryReport(healthy, options.HasFailover ? Figures() - healthy : null);

        // A worker that ends early has failed, and fails the check.
        async Task LetWorkAsync(TimeSpan time) => await await Task.WhenAny(workers, Task.Delay(time, TimeProvider.System, ct));
    }

    private LostHistoryFigures Figures() =>
        new(Interlocked.Read(ref _sessions), Interlocked.Read(ref _lostHistories), Interlocked.Read(ref _errors), Interlocked.Read(ref _violations));

    private async Task WorkAsync(int id, CancellationToken ct)
    {
        var random = new Random(id);
        var (token, written, known) = ("", 0L, 0L);
        while (!ct.IsCancellationRequested)
        {
            var answer = await _processes[random.Next(_processes.Length)].RunAsync(new SessionOrder(id, token, written, known, random.Next()));
            (token, written, known) = (answer.Token, answer.Written, answer.Known);
            Interlocked.Increment(ref _sessions);
            Interlocked.Add(ref _errors, answer.Errors);
            Interlocked.Add(ref _violations, answer.Violations);
            if (answer.IsLost) Interlocked.Increment(ref _lostHistories);
        }
    }
}
