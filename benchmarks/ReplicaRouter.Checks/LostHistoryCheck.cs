using Dapper;
using Npgsql;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Checks;

/// <summary>
/// Counts sessions that report a lost history where nothing was lost: on a healthy cluster, and after failovers with synchronous replication.
/// </summary>
public sealed class LostHistoryCheck
{
    /// <summary>Steps after which a session goes on in another process, by its token.</summary>
    private const int StepsPerSession = 5;

    private readonly LocalCluster _cluster;
    private readonly DatabaseRouter[] _routers;
    private long _sessions, _lostHistories, _errors;

    private LostHistoryCheck(LocalCluster cluster, DatabaseRouter[] routers)
    {
        _cluster = cluster;
        _routers = routers;
    }

    /// <summary>Starts a cluster, runs the check and stops the cluster.</summary>
    public static async Task<LostHistoryReport> RunAsync(LostHistoryCheckOptions options, CancellationToken ct = default)
    {
        await using var cluster = await LocalCluster.StartAsync(new LocalClusterOptions
        {
            Replicas = [new() { Name = "analytics", Synchronous = true }, new() { Name = "background" }, new() { Name = "replica-3" }],
        }, ct);
        await using (var connection = new NpgsqlConnection(cluster.Primary.ConnectionString)) await connection.ExecuteAsync(Register.CreateTable);
        await cluster.GrantMonitorAsync();
        await cluster.WaitForReplicationAsync(ct);

        // Three routers stand for three processes: what one knows reaches the others by token only.
        DatabaseRouter[] routers = [.. Enumerable.Range(0, 3).Select(_ => DatabaseRouter.Create(cluster.RouterOptions()))];
        try
        {
            foreach (var router in routers) await router.WaitUntilReadyAsync(TimeSpan.FromSeconds(10), ct);
            return await new LostHistoryCheck(cluster, routers).CountAsync(options, ct);
        }
        finally
        {
            foreach (var router in routers) await router.DisposeAsync();
        }
    }

    private async Task<LostHistoryReport> CountAsync(LostHistoryCheckOptions options, CancellationToken ct)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var workers = Enumerable.Range(0, options.Sessions).Select(id => Task.Run(() => WorkAsync(id, stop.Token), ct)).ToList();
        await Task.Delay(options.Duration, TimeProvider.System, ct);
        var healthy = Figures();
        if (options.HasFailover)
        {
            await _cluster.Primary.KillAsync(ct);
            await _cluster.PromoteAsync("analytics", ct: ct);
            // Long enough for each session to go on from before the failover, and to meet the new primary's first answers.
            await Task.Delay(TimeSpan.FromSeconds(10), TimeProvider.System, ct);
        }

        await stop.CancelAsync();
        await Task.WhenAll(workers);
        return new LostHistoryReport(healthy, options.HasFailover ? Figures() - healthy : null);
    }

    private LostHistoryFigures Figures() => new(Interlocked.Read(ref _sessions), Interlocked.Read(ref _lostHistories), Interlocked.Read(ref _errors));

    private async Task WorkAsync(int id, CancellationToken ct)
    {
        var random = new Random(id);
        var register = new Register(id, random);
        for (var token = ""; !ct.IsCancellationRequested;)
        {
            var router = _routers[random.Next(_routers.Length)];
            using var session = router.CreateSession(token);
            Interlocked.Increment(ref _sessions);
            for (var i = 0; i < StepsPerSession && !ct.IsCancellationRequested; i++) await StepAsync(router, session, register, ct);
            token = await session.GetTokenAsync(CancellationToken.None);
            if (session.HasLostHistory) Interlocked.Increment(ref _lostHistories);
        }
    }

    /// <summary>Servers that are gone cost errors; this check is about what sessions report.</summary>
    private async Task StepAsync(DatabaseRouter router, RoutingSession session, Register register, CancellationToken ct)
    {
        try
        {
            await register.StepAsync(router, new RouteOptions { Session = session }, ct);
        }
        catch (Exception e) when (e is NpgsqlException or TransactionOutcomeUnknownException)
        {
            Interlocked.Increment(ref _errors);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The check ends.
        }
    }
}
