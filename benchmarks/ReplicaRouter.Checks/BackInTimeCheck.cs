using Dapper;
using Npgsql;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Checks;

/// <summary>
/// Runs many sessions that read a counter on a replica and then on the primary while writers raise it, and counts each second read that shows less
/// than the first. A standby shows a commit as soon as it has replayed it; the primary can hide it until its synchronous standby has confirmed it.
/// </summary>
public sealed class BackInTimeCheck
{
    private const int Counters = 4;
    private const string Question = "SELECT value, pg_is_in_recovery() FROM counter WHERE id = @id";

    private readonly BackInTimeCheckOptions _options;
    private readonly DatabaseRouter _router;
    private readonly DatabaseRouter _other;
    private readonly PairCounts[] _counts = [.. Enum.GetNames<WayToPrimary>().Select(_ => new PairCounts())];
    private long _pairs, _started, _errors, _writes, _cuts;

    private BackInTimeCheck(BackInTimeCheckOptions options, DatabaseRouter router, DatabaseRouter other) => (_options, _router, _other) = (options, router, other);

    /// <summary>Starts a cluster, runs the check until it has all its pairs, and stops the cluster.</summary>
    public static async Task<BackInTimeReport> RunAsync(BackInTimeCheckOptions options, CancellationToken ct = default)
    {
        await using var cluster = await LocalCluster.StartAsync(new LocalClusterOptions
        {
            Replicas = [new() { Name = "analytics" }, new() { Name = "background" }, new() { Name = "standby", IsSynchronous = options.IsSynchronous }],
        }, ct);
        await using (var connection = new NpgsqlConnection(cluster.Primary.ConnectionString))
        {
            await connection.ExecuteAsync("CREATE TABLE counter (id int PRIMARY KEY, value bigint NOT NULL)");
            await connection.ExecuteAsync("INSERT INTO counter SELECT id, 0 FROM generate_series(0, @last) id", new { last = Counters - 1 });
        }

        await cluster.GrantMonitorAsync();
        await cluster.WaitForReplicationAsync(ct);
        // The second router stands for another process, which continues a session by its token.
        await using var router = DatabaseRouter.Create(RouterOptions(cluster));
        await using var other = DatabaseRouter.Create(RouterOptions(cluster));
        foreach (var each in (DatabaseRouter[])[router, other]) await each.WaitUntilReadyAsync(ct);
        return await new BackInTimeCheck(options, router, other).RunAsync(cluster, ct);
    }

    // The standby that is cut off serves no reads, because hanging reads are not the subject of this check.
    private static DatabaseRouterOptions RouterOptions(LocalCluster cluster)
    {
        var options = cluster.RouterOptions("primary", "analytics", "background");
        options.PrimaryProtection.MaxConcurrentReads = 1000;
        return options;
    }

    private async Task<BackInTimeReport> RunAsync(LocalCluster cluster, CancellationToken ct)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var disturbing = Task.Run(() => CutNowAndThenAsync(cluster["standby"], stop.Token), ct);
        var writing = Enumerable.Range(0, Counters).Select(id => Task.Run(() => WriteAsync(cluster.Primary.ConnectionString, id, stop.Token), ct)).ToList();
        var outside = Task.Run(() => OutsideAsync(new Random(_options.Seed), stop.Token), ct);
        await Task.WhenAll(Enumerable.Range(1, _options.Sessions).Select(i => Task.Run(() => InSessionsAsync(new Random(_options.Seed + i), ct), ct)));
        await stop.CancelAsync();
        await disturbing;
        await Task.WhenAll(writing);
        var plain = await outside;
        return new BackInTimeReport(_options.IsSynchronous, _pairs, _counts.Sum(count => count.BackInTime), Enum.GetValues<WayToPrimary>().ToDictionary(way => way, way => _counts[(int)way]),
            _errors, _writes, _cuts, plain);
    }

    private async Task InSessionsAsync(Random random, CancellationToken ct)
    {
        // Failed pairs also count as started, or a check without a primary would never end.
        while (Interlocked.Read(ref _pairs) < _options.Pairs && Interlocked.Increment(ref _started) < 3 * _options.Pairs)
        {
            var way = (WayToPrimary)random.Next(_counts.Length);
            if (await TryPairAsync(way, random.Next(Counters), () => _router.CreateSession(), ct) is not { } wentBack) continue;
            _counts[(int)way].Add(wentBack);
            Interlocked.Increment(ref _pairs);
        }
    }

    /// <summary>Reads the same pairs without a session, to show that the check can fail.</summary>
    private async Task<PairCounts> OutsideAsync(Random random, CancellationToken ct)
    {
        var counts = new PairCounts();
        while (!ct.IsCancellationRequested)
        {
            if (await TryPairAsync(WayToPrimary.Strong, random.Next(Counters), () => null, ct) is { } wentBack) counts.Add(wentBack);
        }

        return counts;
    }

    /// <returns>Whether the second read showed less than the first; null unless a replica answered the first and the primary the second.</returns>
    private async Task<bool?> TryPairAsync(WayToPrimary way, int id, Func<DatabaseSession?> begin, CancellationToken ct)
    {
        try
        {
            using var session = begin();
            var first = await ReadAsync(_router, DatabaseOperation.Read, new OperationOptions { Session = session }, id, ct);
            if (!first.IsReplica) return null;
            var second = await ReadOnPrimaryAsync(way, session, id, ct);
            return second.IsReplica ? null : second.Value < first.Value;
        }
        catch (Exception e) when (e is NpgsqlException or OperationCanceledException && !ct.IsCancellationRequested)
        {
            Interlocked.Increment(ref _errors);
            return null;
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    private async Task<(long Value, bool IsReplica)> ReadOnPrimaryAsync(WayToPrimary way, DatabaseSession? session, int id, CancellationToken ct)
    {
        var options = new OperationOptions { Session = session };
        if (way == WayToPrimary.Token)
        {
            var token = await session!.GetTokenAsync(ct);
            using var continued = _other.CreateSession(token);
            return await ReadAsync(_other, DatabaseOperation.Read, new OperationOptions { Session = continued, Consistency = Consistency.Strong }, id, ct);
        }

        return way switch
        {
            WayToPrimary.Fallback => await ReadAsync(_router, DatabaseOperation.Read, options with { MaxLag = TimeSpan.FromTicks(1) }, id, ct),
            WayToPrimary.Write => await ReadAsync(_router, DatabaseOperation.Write, options, id, ct),
            _ => await ReadAsync(_router, DatabaseOperation.Read, options with { Consistency = Consistency.Strong }, id, ct),
        };
    }

    private static Task<(long Value, bool IsReplica)> ReadAsync(DatabaseRouter router, DatabaseRoute route, OperationOptions? options, int id, CancellationToken ct) =>
        router.ExecuteAsync(route, (connection, inner) => connection.QuerySingleAsync<(long, bool)>(new CommandDefinition(Question, new { id }, cancellationToken: inner)), options, ct);

    private async Task WriteAsync(string connectionString, int id, CancellationToken ct)
    {
        try
        {
            await using var connection = new NpgsqlConnection(connectionString);
            await connection.OpenAsync(ct);
            while (!ct.IsCancellationRequested)
            {
                await connection.ExecuteAsync(new CommandDefinition("UPDATE counter SET value = value + 1 WHERE id = @id", new { id }, cancellationToken: ct));
                Interlocked.Increment(ref _writes);
            }
        }
        catch (OperationCanceledException)
        {
            // The check has ended.
        }
    }

    /// <summary>Freezes the standby for a moment every few seconds. If it is synchronous, every commit waits for it during that time.</summary>
    private async Task CutNowAndThenAsync(LocalServer standby, CancellationToken ct)
    {
        var random = new Random(_options.Seed);
        try
        {
            while (true)
            {
                await Task.Delay(random.Next(500, 3000), ct);
                standby.Suspend();
                _cuts++;
                _options.Log?.Invoke($"{Interlocked.Read(ref _pairs)} pairs: the standby is cut off");
                try
                {
                    await Task.Delay(random.Next(100, 1300), ct);
                }
                finally
                {
                    standby.Resume();
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The check has ended.
        }
    }
}
