using System.CommandLine;
using ReplicaRouter.Tool.CommandLine;
using ReplicaRouter.Tool.Inspection;

namespace ReplicaRouter.Tool.Doctor;

/// <summary><c>doctor</c>: runs the production checklist.</summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        var command = new Command("doctor", "Checks a cluster and its configuration for production, with evidence and fixes. Exits with 0 when all is well, 1 on warnings, 2 on failures. Changes nothing.");
        var target = TargetOptions.AddTo(command);
        var instances = command.AddNumber("--instances", "Number of the application's processes that are connected at the same time.", usual: 1, least: 1, most: 100_000);
        var json = command.AddJson();
        command.SetWork(async (parsed, screen, ct) =>
        {
            var cluster = await target.ReadAsync(parsed, ct);
            await using var watch = await ClusterWatch.StartAsync(cluster, TimeProvider.System, ct);
            var results = Checkup.Run(await watch.InspectAsync(parsed.GetValue(instances), ct));
            var verdict = results.Max(result => result.Verdict);
            if (parsed.GetValue(json)) screen.WriteJson(new { Verdict = verdict, Checks = results });
            else screen.Write(CheckupTable.Of(results));
            return verdict switch
            {
                Verdict.Ok => ExitCode.Ok,
                Verdict.Warning => ExitCode.Warning,
                _ => ExitCode.Failure,
            };
        });
        return command;
    }
}
