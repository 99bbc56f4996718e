using ReplicaRouter.Testing;

namespace ReplicaRouter.Checks;

/// <summary>Does something bad to a cluster, again and again, at random: one fault at a time, so that some replica is mostly well.</summary>
internal sealed class Faults(LocalCluster cluster, Random random, Action<string> log)
{
    private readonly Dictionary<string, int> _done = [];

    public IReadOnlyDictionary<string, int> Done => _done;

    public async Task RunAsync(CancellationToken ct)
    {
        // The first ones in this order, so that even a short run has seen each.
        Func<LocalServer, CancellationToken, Task>[] faults = [PauseAsync, DelayAsync, KillAsync, RestartAsync, CrashOfPrimaryAsync, SwitchoverAsync, FailoverAsync];
        try
        {
            for (var i = 0; ; i++)
            {
                // Changes of the primary take servers out for seconds; they come less often.
                var fault = faults[i < faults.Length ? i : random.Next(3) > 0 ? random.Next(4) : random.Next(faults.Length)];
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
            // The run is over.
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
        // Back at once now and then: sooner than any probe could see that it was gone.
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

    /// <summary>Planned: the primary hands over everything before it goes.</summary>
    private async Task SwitchoverAsync(LocalServer replica, CancellationToken ct)
    {
        var former = cluster.Primary;
        await former.StopAsync(StopMode.Fast, ct);
        await ReplaceAsync(former, replica, ct);
    }

    /// <summary>The primary dies, and the replica may lack what it acknowledged last.</summary>
    private async Task FailoverAsync(LocalServer replica, CancellationToken ct)
    {
        var former = cluster.Primary;
        await former.KillAsync(ct);
        await ReplaceAsync(former, replica, ct);
    }

    private async Task ReplaceAsync(LocalServer former, LocalServer successor, CancellationToken ct)
    {
        await cluster.PromoteAsync(successor.Name, ct: ct);
        await cluster.RejoinAsync(former.Name, ct);
    }

    private Task PauseAsync(int least, int most, CancellationToken ct) => Task.Delay(random.Next(least, most), ct);
}
