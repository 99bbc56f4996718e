using Dapper;
using Npgsql;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Checks;

/// <summary>Injects random faults into a cluster, one at a time, so that some replica is nearly always healthy.</summary>
/// <param name="cluster">The servers.</param>
/// <param name="random">Chooses the faults, victims and durations.</param>
/// <param name="log">Receives a line for each fault.</param>
/// <param name="proxies">
/// The proxies in front of the servers. With them there are also network faults, hung servers and terminated database sessions, and failovers lose nothing that
/// a standby has confirmed.
/// </param>
internal sealed class Faults(LocalCluster cluster, Random random, Action<string> log, ProxiedCluster? proxies = null)
{
    private readonly Dictionary<string, int> _done = [];

    public IReadOnlyDictionary<string, int> Done => _done;

    /// <summary>Injects faults until it is cancelled, and leaves the servers as they are then.</summary>
    public Task RunAsync(CancellationToken ct) => RunAsync(TimeSpan.MaxValue, ct);

    /// <summary>Injects faults for the given time, and leaves all servers healed.</summary>
    public async Task RunAsync(TimeSpan length, CancellationToken ct)
    {
        var start = TimeProvider.System.GetTimestamp();
        // The first faults are in this order, so that even a short run includes each of them.
        Func<LocalServer, CancellationToken, Task>[] ofReplicas = proxies is null
            ? [PauseAsync, DelayAsync, KillAsync, RestartAsync]
            : [SuspendAsync, KillAsync, BlackHoleAsync, SuspendPostmasterAsync, SlowNetworkAsync, FillAsync, PauseAsync, DelayAsync, CutStreamingAsync, TerminateAsync, RestartAsync];
        Func<LocalServer, CancellationToken, Task>[] faults = [.. ofReplicas, CrashOfPrimaryAsync, SwitchoverAsync, FailoverAsync];
        try
        {
            for (var i = 0; TimeProvider.System.GetElapsedTime(start) < length; i++)
            {
                // Faults of the primary take servers out for seconds, so they are less frequent.
                var fault = faults[i < faults.Length ? i : random.Next(3) > 0 ? random.Next(ofReplicas.Length) : random.Next(faults.Length)];
                var replicas = cluster.Servers.Where(server => server != cluster.Primary).ToList();
                var victim = replicas[random.Next(replicas.Count)];
                var name = fault.Method.Name.Replace("Async", "", StringComparison.Ordinal);
                log($"{name} {victim.Name}");
                await fault(victim, ct);
                _done[name] = _done.GetValueOrDefault(name) + 1;
                await PauseAsync(200, 1000, ct);
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The check has ended.
        }
    }

    private async Task PauseAsync(LocalServer replica, CancellationToken ct)
    {
        await replica.PauseReplayAsync(ct);
        await PauseAsync(200, 2500, ct);
        await replica.ResumeReplayAsync(ct);
    }

    private async Task DelayAsync(LocalServer replica, CancellationToken ct)
    {
        await replica.SetApplyDelayAsync(TimeSpan.FromMilliseconds(random.Next(20, 800)), ct);
        await PauseAsync(500, 2500, ct);
        await replica.SetApplyDelayAsync(TimeSpan.Zero, ct);
    }

    private async Task KillAsync(LocalServer replica, CancellationToken ct)
    {
        await replica.KillAsync(ct);
        // Every other time it returns immediately, before any probe can notice that it was down.
        if (random.Next(2) == 0) await PauseAsync(100, 2000, ct);
        await replica.StartAsync(ct);
    }

    private async Task RestartAsync(LocalServer replica, CancellationToken ct)
    {
        await replica.StopAsync(random.Next(2) == 0 ? StopMode.Fast : StopMode.Immediate, ct);
        await replica.StartAsync(ct);
    }

    private async Task CrashOfPrimaryAsync(LocalServer replica, CancellationToken ct)
    {
        await cluster.Primary.KillAsync(ct);
        await cluster.Primary.StartAsync(ct);
    }

    /// <summary>Performs a switchover: the primary sends all WAL to its standbys before it stops.</summary>
    private async Task SwitchoverAsync(LocalServer replica, CancellationToken ct)
    {
        var former = cluster.Primary;
        await former.StopAsync(StopMode.Fast, ct);
        await ReplaceAsync(former, replica, ct);
    }

    /// <summary>Performs a failover: the primary is killed, and the replica can lack its last acknowledged writes.</summary>
    private async Task FailoverAsync(LocalServer replica, CancellationToken ct)
    {
        var former = cluster.Primary;
        await former.KillAsync(ct);
        await ReplaceAsync(former, proxies is null ? replica : await MostAdvancedAsync(), ct);
    }

    /// <summary>Returns the standby with the most WAL: it has everything that any standby has confirmed.</summary>
    private async Task<LocalServer> MostAdvancedAsync()
    {
        var received = new List<(LocalServer Server, long Lsn)>();
        foreach (var standby in cluster.Servers.Where(server => server != cluster.Primary))
        {
            await using var connection = new NpgsqlConnection(standby.SuperuserConnectionString);
            received.Add((standby, await connection.ExecuteScalarAsync<long>("SELECT (greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) - '0/0')::bigint")));
        }

        return received.MaxBy(standby => standby.Lsn).Server;
    }

    private async Task SuspendAsync(LocalServer replica, CancellationToken ct)
    {
        replica.Suspend();
        await PauseAsync(300, 4000, ct);
        replica.Resume();
    }

    private async Task SuspendPostmasterAsync(LocalServer replica, CancellationToken ct)
    {
        replica.SuspendPostmaster();
        await PauseAsync(300, 4000, ct);
        replica.ResumePostmaster();
    }

    private async Task BlackHoleAsync(LocalServer replica, CancellationToken ct)
    {
        proxies![replica].Silence();
        await PauseAsync(300, 4000, ct);
        proxies[replica].Heal();
    }

    private async Task SlowNetworkAsync(LocalServer replica, CancellationToken ct)
    {
        proxies![replica].Delay(TimeSpan.FromMilliseconds(random.Next(5, 200)), TimeSpan.FromMilliseconds(random.Next(50)));
        await PauseAsync(300, 4000, ct);
        proxies[replica].Heal();
    }

    private async Task CutStreamingAsync(LocalServer replica, CancellationToken ct)
    {
        await replica.CutStreamingAsync(ct);
        await PauseAsync(1000, 7000, ct);
        await replica.RestoreStreamingAsync(ct);
    }

    private async Task TerminateAsync(LocalServer replica, CancellationToken ct)
    {
        var victim = cluster.Servers[random.Next(cluster.Servers.Count)];
        await using var superuser = new NpgsqlConnection(victim.SuperuserConnectionString);
        await superuser.ExecuteAsync("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app' AND random() < 0.5");
    }

    /// <summary>Takes every connection slot that the application's user can get.</summary>
    private async Task FillAsync(LocalServer replica, CancellationToken ct)
    {
        var taken = new List<NpgsqlConnection>();
        try
        {
            while (await TryTakeAsync(replica, taken, ct))
            {
            }

            await PauseAsync(300, 3000, ct);
        }
        finally
        {
            foreach (var connection in taken) await connection.DisposeAsync();
        }
    }

    private static async Task<bool> TryTakeAsync(LocalServer server, List<NpgsqlConnection> taken, CancellationToken ct)
    {
        var connection = new NpgsqlConnection(server.ConnectionString + ";Pooling=false");
        taken.Add(connection);
        try
        {
            await connection.OpenAsync(ct);
            return true;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.TooManyConnections)
        {
            return false;
        }
    }

    private async Task ReplaceAsync(LocalServer former, LocalServer successor, CancellationToken ct)
    {
        await cluster.PromoteAsync(successor.Name, cancellationToken: ct);
        await cluster.RejoinAsync(former.Name, ct);
    }

    private Task PauseAsync(int least, int most, CancellationToken ct) => Task.Delay(random.Next(least, most), ct);
}
