using System.CommandLine;
using ReplicaRouter.Tool.Accept;
using ReplicaRouter.Tool.Clusters;
using ReplicaRouter.Tool.Doctor;
using ReplicaRouter.Tool.Drill;
using ReplicaRouter.Tool.Explain;
using ReplicaRouter.Tool.Status;

namespace ReplicaRouter.Tool.CommandLine;

/// <summary>All commands of the tool.</summary>
internal static class ToolCommands
{
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error, CancellationToken cancellationToken = default)
    {
        var root = new RootCommand("Inspects a PostgreSQL cluster as the router sees it. Without --url or --local it reads DATABASE_URL and the other variables, or a .env file, like the router.")
        {
            ClusterCommand.Create(),
            StatusCommand.Create(),
            WatchCommand.Create(),
            DoctorCommand.Create(),
            DrillCommand.Create(),
            ExplainCommand.Create(),
            AcceptCommand.Create(),
        };
        var parsed = root.Parse(args);
        var messages = parsed.Errors.Select(e => e.Message).ToList();
        var fit = messages.ConvertAll(message => CommandLineErrors.WithoutSecrets(message, args));
        if (!fit.SequenceEqual(messages))
        {
            foreach (var message in fit) await error.WriteLineAsync(message);
            return ExitCode.Failure;
        }

        var exitCode = await parsed.InvokeAsync(new InvocationConfiguration
        {
            Output = output,
            Error = error,
            EnableDefaultExceptionHandler = false,
            // A cancelled command cleans up before it ends, which can take longer than the library's default.
            ProcessTerminationTimeout = TimeSpan.FromMinutes(1),
        }, cancellationToken);
        return parsed.Errors.Count > 0 ? ExitCode.Failure : exitCode;
    }
}
