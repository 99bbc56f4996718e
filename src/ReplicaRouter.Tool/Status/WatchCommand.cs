using System.CommandLine;
using ReplicaRouter.Tool.CommandLine;
using ReplicaRouter.Tool.Inspection;
using Spectre.Console;

namespace ReplicaRouter.Tool.Status;

/// <summary><c>watch</c>: the status of all hosts, until Ctrl+C.</summary>
internal static class WatchCommand
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);

    public static Command Create()
    {
        var command = new Command("watch", "Shows what 'status' shows, and updates it every second until Ctrl+C.");
        var target = TargetOptions.AddTo(command);
        var json = command.AddJson("Prints one JSON object a second.");
        command.SetWork(async (parsed, screen, ct) =>
        {
            var cluster = await target.ReadAsync(parsed, ct);
            await using var watch = await ClusterWatch.StartAsync(cluster, TimeProvider.System, ct);
            Task<IReadOnlyList<HostStatus>> LookAsync() => HostStatus.OfAsync(watch, TimeProvider.System, ct);
            try
            {
                if (parsed.GetValue(json)) await RepeatAsync(async () => screen.WriteJson(new { Hosts = await LookAsync() }), ct);
                else if (!screen.IsTerminal) await RepeatAsync(async () => screen.Write(StatusTable.Of(await LookAsync())), ct);
                else
                {
                    await screen.Console.Live(StatusTable.Of(await LookAsync()))
                        .StartAsync(live => RepeatAsync(async () => live.UpdateTarget(StatusTable.Of(await LookAsync())), ct));
                }
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                // Ctrl+C is the normal way to end.
            }

            return ExitCode.Ok;
        });
        return command;
    }

    private static async Task RepeatAsync(Func<Task> look, CancellationToken ct)
    {
        while (true)
        {
            await look();
            await Task.Delay(s_interval, TimeProvider.System, ct);
        }
    }
}
