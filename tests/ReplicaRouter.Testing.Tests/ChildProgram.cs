using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace ReplicaRouter.Testing.Tests;

/// <summary>This test program, started again as a user's program that starts a cluster and never disposes of it.</summary>
internal static class ChildProgram
{
    private const string Variable = "REPLICAROUTER_TESTING_CHILD";

    /// <summary>Starts the child, which prints <c>READY folder pid pid</c>, or <c>ERROR message</c>.</summary>
    public static Process Start(params string[] wrapper)
    {
        string[] command = [.. wrapper, "dotnet", typeof(ChildProgram).Assembly.Location];
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true };
        start.Environment[Variable] = "1";
        return Process.Start(start)!;
    }

    public static async Task<string> FirstLineAsync(Process child)
    {
        while (await child.StandardOutput.ReadLineAsync(Probe.Ct) is { } line)
        {
            if (line.StartsWith("READY", StringComparison.Ordinal) || line.StartsWith("ERROR", StringComparison.Ordinal)) return line;
        }

        throw new InvalidOperationException("The child program printed neither READY nor ERROR.");
    }

    [ModuleInitializer]
    internal static void RunWhenAsked()
    {
        if (Environment.GetEnvironmentVariable(Variable) is null) return;
        try
        {
            var cluster = LocalCluster.StartAsync(new LocalClusterOptions { Replicas = [new LocalReplicaOptions { Name = "a" }] }).GetAwaiter().GetResult();
            cluster["a"].Suspend();
            Console.WriteLine($"READY {Path.GetDirectoryName(cluster.Primary.DataDirectory)} {cluster.Primary.ProcessId} {cluster["a"].ProcessId}");
            Thread.Sleep(Timeout.Infinite);
        }
        catch (LocalClusterException e)
        {
            Console.WriteLine($"ERROR {e.Message.ReplaceLineEndings(" ")}");
            Environment.Exit(0);
        }
    }
}
