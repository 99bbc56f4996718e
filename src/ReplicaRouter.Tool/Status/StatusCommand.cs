using System.CommandLine;
using ReplicaRouter.Tool.CommandLine;
using ReplicaRouter.Tool.Inspection;

namespace ReplicaRouter.Tool.Status;

/// <summary><c>status</c>: the status of all hosts, once.</summary>
internal static class StatusCommand
{
    public static Command Create()
    {
        var command = new Command("status", "Shows topology, roles, timelines, replication lag, latency and connections. Exits with 1 when a host is not healthy.");
        var target = TargetOptions.AddTo(command);
        var json = command.AddJson();
        command.SetWork(async (parsed, screen, ct) =>
        {
            var cluster = await target.ReadAsync(parsed, ct);
            await using var watch = await ClusterWatch.StartAsync(cluster, TimeProvider.System, ct);
            var hosts = await HostStatus.OfAsync(watch, TimeProvider.System, ct);
            if (parsed.GetValue(json)) screen.WriteJson(new { Hosts = hosts });
            else screen.Write(StatusTable.Of(hosts));
            return hosts.All(host => host.IsHealthy) ? ExitCode.Ok : ExitCode.Warning;
        });
        return command;
    }
}
