using System.Diagnostics;
using ReplicaRouter.Testing;
using ReplicaRouter.Tool.CommandLine;
using ReplicaRouter.Tool.Inspection;

namespace ReplicaRouter.Tool.Drill;

/// <summary>A drill from its first phase to its last.</summary>
internal sealed class DrillRun
{
    /// <summary>Longest wait for a recovery.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(20);

    private readonly DrillPlan _plan;
    private readonly DatabaseRouter _router;
    private readonly DrillLoad _load;
    private readonly Screen _screen;
    private readonly TimeProvider _time;
    private readonly string? _firstPrimary;
    private readonly List<PhaseReport> _phases = [];
    private readonly List<string> _complaints = [];

    private DrillRun(DrillPlan plan, DatabaseRouter router, DrillLoad load, Screen screen, TimeProvider time)
    {
        (_plan, _router, _load, _screen, _time) = (plan, router, load, screen, time);
        _firstPrimary = router.Engine.Topology.Primary?.Name;
    }

    public static async Task<DrillReport> RunAsync(DrillPlan plan, Screen screen, TimeProvider time, CancellationToken ct)
    {
        await using var watch = await ClusterWatch.StartAsync(plan.Target, time, ct);
        await watch.Router.WaitUntilReadyAsync(s_patience, ct);
        await using var local = plan.Target.LocalFolder is { } folder && (plan.KillReplica || plan.Promote) ? await LocalCluster.OpenAsync(folder, ct) : null;
        await using var writes = plan.Writes ? await DrillWrites.StartAsync(watch.Router, ct) : null;
        DrillRun run;
        await using (var load = DrillLoad.Start(watch.Router, plan, writes, time))
        {
            run = new DrillRun(plan, watch.Router, load, screen, time);
            await run.RunAsync(local, ct);
        }

        return new(plan.Target.Name, run._phases, writes is null ? null : await writes.CountAsync(ct), run._complaints);
    }

    private async Task RunAsync(LocalCluster? local, CancellationToken ct)
    {
        await PhaseAsync("baseline", ct);
        if (Replica() is { } replica) await DrainAsync(replica, ct);
        await ForceToPrimaryAsync(ct);
        if (local is not null && _plan.KillReplica && Replica() is { } victim) await KillReplicaAsync(local[victim], ct);
        if (local is not null && _plan.Promote) await PromoteAsync(local, ct);
        if (_plan.StopCommand is { } stop) await PhaseAsync("stop command", () => ShellAsync("--stop-command", stop, ct), ct);
        if (_plan.PromoteCommand is { } promote) await FollowPrimaryAsync("promote command", () => ShellAsync("--promote-command", promote, ct), ct);
    }

    private async Task DrainAsync(string replica, CancellationToken ct)
    {
        long drained = 0;
        await PhaseAsync($"drain {replica}", async () =>
        {
            await _router.DrainAsync(replica, ct);
            drained = _time.GetTimestamp();
        }, ct);
        if (_load.LastAnswerOf(replica) > drained) _complaints.Add($"{replica} answered reads although it was drained.");

        await PhaseAsync($"restore {replica}", async () =>
        {
            var restored = _time.GetTimestamp();
            await _router.RestoreAsync(replica, ct);
            return await UntilAsync(restored, () => _load.LastAnswerOf(replica) > restored, $"{replica} did not serve again", ct);
        }, ct);
    }

    private async Task ForceToPrimaryAsync(CancellationToken ct)
    {
        var replicas = _router.GetHealthStatus().Where(host => host.Value.Role == HostRole.Replica).Select(host => host.Key).ToList();
        var forced = _time.GetTimestamp();
        await PhaseAsync("force reads to the primary", () => _router.ForceFailoverToPrimaryAsync(ct), ct);
        if (replicas.Count == 0) return;
        var until = forced + (long)(_plan.Target.Configuration.ForcedFailoverDuration.TotalSeconds * _time.TimestampFrequency);
        await PhaseAsync("restore reads", () => UntilAsync(
            forced, () => replicas.Any(replica => _load.LastAnswerOf(replica) >= until), "no replica served again after the forced failover", ct), ct);
    }

    private async Task KillReplicaAsync(LocalServer server, CancellationToken ct)
    {
        try
        {
            await PhaseAsync($"kill {server.Name}", () => server.KillAsync(ct), ct);
        }
        finally
        {
            // Also when the drill is cancelled: it leaves the cluster as it was.
            if (!server.IsRunning) await server.StartAsync(CancellationToken.None);
        }

        var started = _time.GetTimestamp();
        await PhaseAsync($"start {server.Name}", () => UntilAsync(
            started, () => _load.LastAnswerOf(server.Name) > started, $"{server.Name} did not serve again", ct), ct);
    }

    private async Task PromoteAsync(LocalCluster local, CancellationToken ct)
    {
        var old = local.Primary.Name;
        var next = local.Servers.FirstOrDefault(server => server.Name != old && server.IsRunning)?.Name
            ?? throw new ToolException("The cluster has no replica to promote.");
        try
        {
            await FollowPrimaryAsync($"kill {old}, promote {next}", async () =>
            {
                await local[old].KillAsync(ct);
                await local.PromoteAsync(next, cancellationToken: CancellationToken.None);
            }, ct);
        }
        finally
        {
            if (local.Primary.Name != old) await local.RejoinAsync(old, CancellationToken.None);
            else if (!local.Primary.IsRunning) await local.Primary.StartAsync(CancellationToken.None);
        }

        var rejoined = _time.GetTimestamp();
        await PhaseAsync($"{old} returns as a replica", () => UntilAsync(
            rejoined, () => _router.GetHealthStatus()[old] is { Role: HostRole.Replica, IsHealthy: true }, $"{old} did not return", ct), ct);
    }

    /// <summary>Runs a phase that ends when the router sees another host as the primary.</summary>
    private Task FollowPrimaryAsync(string name, Func<Task> act, CancellationToken ct) => PhaseAsync(name, async () =>
    {
        var begun = _time.GetTimestamp();
        await act();
        return await UntilAsync(begun, () => _router.Engine.Topology.Primary is { IsServing: true } primary && primary.Name != _firstPrimary, "no new primary was seen", ct);
    }, ct);

    private Task PhaseAsync(string name, CancellationToken ct) => PhaseAsync(name, () => Task.CompletedTask, ct);

    private Task PhaseAsync(string name, Func<Task> act, CancellationToken ct) => PhaseAsync(name, async () =>
    {
        await act();
        return (TimeSpan?)null;
    }, ct);

    private async Task PhaseAsync(string name, Func<Task<TimeSpan?>> act, CancellationToken ct)
    {
        _screen.Say($"{name} ...");
        var figures = _load.Begin();
        var recovery = await act();
        await Task.Delay(_plan.Phase, _time, ct);
        _phases.Add(figures.Report(name, recovery));
    }

    /// <returns>The time since <paramref name="begun"/>; null, with a complaint, when it took too long.</returns>
    private async Task<TimeSpan?> UntilAsync(long begun, Func<bool> isDone, string complaint, CancellationToken ct)
    {
        while (!isDone())
        {
            if (_time.GetElapsedTime(begun) > s_patience)
            {
                _complaints.Add(FormattableString.Invariant($"{complaint} within {s_patience.TotalSeconds:0} s."));
                return null;
            }

            await Task.Delay(s_look, _time, ct);
        }

        return _time.GetElapsedTime(begun);
    }

    /// <summary>Returns the replica to drain or kill.</summary>
    private string? Replica() => _plan.Replica ?? _plan.Target.Configuration.Hosts.FirstOrDefault(host =>
        host.Groups.Contains(HostNames.Read) && _router.GetHealthStatus()[host.Name] is { Role: HostRole.Replica, IsHealthy: true })?.Name;

    /// <remarks>An error names the option, not the command, which can contain a password.</remarks>
    private async Task ShellAsync(string option, string command, CancellationToken ct)
    {
        using var shell = Process.Start(new ProcessStartInfo("sh", ["-c", command]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = (shell.StandardOutput.ReadToEndAsync(ct), shell.StandardError.ReadToEndAsync(ct));
        await shell.WaitForExitAsync(ct);
        foreach (var text in (string[])[await output.Item1, await output.Item2])
        {
            if (text.Length > 0) _screen.Say(text.TrimEnd());
        }

        if (shell.ExitCode != 0) throw new ToolException($"{option} exited with {shell.ExitCode}.");
    }
}
