using Dapper;
using Npgsql;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Checks;

/// <summary>
/// Runs many sessions that write and read registers that only grow, while the servers are paused, delayed, killed, restarted and promoted at
/// random, and counts each read that shows less than its session must see. The same work outside sessions shows that the check can fail.
/// </summary>
public sealed class ConsistencyCheck
{
    /// <summary>Number of reads after which a new session continues the old one by its token.</summary>
    private const int ReadsPerSession = 100;

    private readonly ConsistencyCheckOptions _options;
    private readonly DatabaseRouter[] _routers;
    private long _reads, _sessions, _lostHistories, _errors;

    private ConsistencyCheck(ConsistencyCheckOptions options, DatabaseRouter[] routers)
    {
        _options = options;
        _routers = routers;
    }

    /// <summary>Starts a cluster, runs the check until it has done its reads, and stops the cluster.</summary>
    public static async Task<ConsistencyReport> RunAsync(ConsistencyCheckOptions options, CancellationToken ct = default)
    {
        await using var cluster = await LocalCluster.StartAsync(new LocalClusterOptions
        {
            Replicas = [new() { Name = "analytics" }, new() { Name = "background" }, new() { Name = "replica-3" }],
        }, ct);
        await using (var connection = new NpgsqlConnection(cluster.Primary.ConnectionString)) await connection.ExecuteAsync(Register.CreateTable);
        await cluster.GrantMonitorAsync();
        await cluster.WaitForReplicationAsync(ct);

        // Two routers stand for two processes: they share information only by token.
        DatabaseRouter[] routers = [DatabaseRouter.Create(cluster.RouterOptions()), DatabaseRouter.Create(cluster.RouterOptions())];
        try
        {
            foreach (var router in routers) await router.WaitUntilReadyAsync(ct);
            return await new ConsistencyCheck(options, routers).RunAsync(cluster, ct);
        }
        finally
        {
            foreach (var router in routers) await router.DisposeAsync();
        }
    }

    private async Task<ConsistencyReport> RunAsync(LocalCluster cluster, CancellationToken ct)
    {
        using var stopFaults = CancellationTokenSource.CreateLinkedTokenSource(ct);
        using var stopPlain = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var faults = new Faults(cluster, new Random(_options.Seed), text => _options.Log?.Invoke($"{Interlocked.Read(ref _reads)} reads: {text}"));
        var causing = Task.Run(() => faults.RunAsync(stopFaults.Token), ct);

        var inSessions = Enumerable.Range(0, _options.Sessions).Select(i => Task.Run(() => InSessionsAsync(i, ct), ct)).ToList();
        // Two are enough to find violations, and take little capacity from the sessions.
        var outside = Enumerable.Range(_options.Sessions, 2).Select(i => Task.Run(() => OutsideAsync(i, stopPlain.Token), ct)).ToList();
        var registers = await Task.WhenAll(inSessions);
        await stopPlain.CancelAsync();
        var plain = await Task.WhenAll(outside);
        await stopFaults.CancelAsync();
        await causing;

        var reads = registers.Sum(register => register.Reads);
        return new ConsistencyReport(
            reads, _sessions, registers.Sum(register => register.Violations), registers.Sum(register => register.ServedByReplicas) / (double)reads,
            _lostHistories, _errors, faults.Done, new PlainReads(plain.Sum(register => register.Reads), plain.Sum(register => register.Violations)));
    }

    private async Task<Register> InSessionsAsync(int id, CancellationToken ct)
    {
        var random = new Random(HashCode.Combine(_options.Seed, id));
        var register = new Register(id, random);
        for (var token = ""; !IsDone;)
        {
            var router = _routers[random.Next(_routers.Length)];
            using var session = router.CreateSession(token);
            Interlocked.Increment(ref _sessions);
            for (var i = 0; i < ReadsPerSession && !session.HasLostHistory && !IsDone; i++)
            {
                if (await TryAsync(() => register.StepAsync(router, new OperationOptions { Session = session }, ct), ct)) Interlocked.Increment(ref _reads);
            }

            token = await session.GetTokenAsync(ct);
            if (!session.HasLostHistory) continue;
            Interlocked.Increment(ref _lostHistories);
            register.Forget();
        }

        return register;
    }

    private async Task<Register> OutsideAsync(int id, CancellationToken ct)
    {
        var register = new Register(id, new Random(HashCode.Combine(_options.Seed, id)));
        while (!ct.IsCancellationRequested) await TryAsync(() => register.StepAsync(_routers[0], new OperationOptions(), ct), ct);
        return register;
    }

    private bool IsDone => Interlocked.Read(ref _reads) >= _options.Reads;

    /// <summary>Runs a step and counts an error. Errors are expected while servers are down; this check is about the answers.</summary>
    private async Task<bool> TryAsync(Func<Task> step, CancellationToken ct)
    {
        try
        {
            await step();
            return true;
        }
        catch (Exception e) when (e is NpgsqlException or TransactionOutcomeUnknownException)
        {
            Interlocked.Increment(ref _errors);
            return false;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return false;
        }
    }
}

/// <summary>The options of a <see cref="ConsistencyCheck"/>.</summary>
public sealed record ConsistencyCheckOptions
{
    /// <summary>Number of reads in sessions after which the check ends.</summary>
    public long Reads { get; init; } = 20_000;

    /// <summary>Number of concurrent sessions.</summary>
    public int Sessions { get; init; } = 32;

    /// <summary>Seed of the work and of the faults.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Receives a line for each event.</summary>
    public Action<string>? Log { get; init; }
}
