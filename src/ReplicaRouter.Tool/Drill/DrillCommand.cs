using System.CommandLine;
using ReplicaRouter.Tool.CommandLine;

namespace ReplicaRouter.Tool.Drill;

/// <summary><c>drill</c>: a failover test with measurements.</summary>
internal static class DrillCommand
{
    public static Command Create()
    {
        var command = new Command("drill",
            "Tests failover: reads through its own router while it drains and restores a replica and forces reads to the primary. Kills and promotes only on request. Exits with 1 when something failed.");
        var target = TargetOptions.AddTo(command);
        var seconds = command.AddNumber("--seconds", "Length of each phase.", usual: 5, least: 1, most: 3600);
        var workers = command.AddNumber("--workers", "Concurrent readers, each with at most 100 reads a second.", usual: 4, least: 1, most: 64);
        var replica = new Option<string?>("--replica") { Description = "The replica to drain. Default: the first one that serves reads.", HelpName = "HOST" };
        var writes = new Option<bool>("--writes") { Description = $"Also writes, to a table {DrillWrites.Table} that it creates and drops, and counts lost writes." };
        var kill = new Option<bool>("--kill-replica") { Description = "With --local: kills the replica and starts it again." };
        var promote = new Option<bool>("--promote") { Description = "With --local: kills the primary, promotes a replica, and brings the old primary back as a replica." };
        var stopCommand = new Option<string?>("--stop-command") { Description = "A shell command that stops a server, run while reads are in progress.", HelpName = "COMMAND" };
        var promoteCommand = new Option<string?>("--promote-command") { Description = "A shell command that promotes another server.", HelpName = "COMMAND" };
        var yes = new Option<bool>("--yes") { Description = "Skips the confirmation." };
        foreach (var option in (Option[])[replica, writes, kill, promote, stopCommand, promoteCommand, yes]) command.Options.Add(option);
        var json = command.AddJson();
        command.SetWork(async (parsed, screen, ct) =>
        {
            var plan = new DrillPlan
            {
                Target = await target.ReadAsync(parsed, ct),
                Phase = TimeSpan.FromSeconds(parsed.GetValue(seconds)),
                Workers = parsed.GetValue(workers),
                Replica = parsed.GetValue(replica),
                Writes = parsed.GetValue(writes),
                KillReplica = parsed.GetValue(kill),
                Promote = parsed.GetValue(promote),
                StopCommand = parsed.GetValue(stopCommand),
                PromoteCommand = parsed.GetValue(promoteCommand),
            };
            plan.Check();
            if (!parsed.GetValue(yes)) Confirm(plan, screen);
            var report = await DrillRun.RunAsync(plan, screen, TimeProvider.System, ct);
            if (parsed.GetValue(json)) screen.WriteJson(report);
            else screen.Write(DrillTable.Of(report));
            return report.Errors == 0 && report.Complaints.Count == 0 ? ExitCode.Ok : ExitCode.Warning;
        });
        return command;
    }

    private static void Confirm(DrillPlan plan, Screen screen)
    {
        foreach (var line in plan.Describe()) screen.Say(line);
        screen.Say($"Type {plan.Target.Name} to continue:");
        if (Console.In.ReadLine()?.Trim() != plan.Target.Name) throw new ToolException("Not confirmed, so nothing was done. --yes skips the confirmation.");
    }
}
