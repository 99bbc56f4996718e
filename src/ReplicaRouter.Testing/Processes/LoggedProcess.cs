using System.Diagnostics;

namespace ReplicaRouter.Testing.Processes;

/// <summary>A program that runs as the servers' account in its own folder and writes to a log file.</summary>
internal sealed class LoggedProcess : IDisposable
{
    private readonly Process _process;

    private LoggedProcess(Process process) => _process = process;

    internal bool IsRunning => !_process.HasExited;

    internal static LoggedProcess Start(ServerAccount account, string program, IEnumerable<string> arguments, string folder, string logFile)
    {
        var lent = account.Run(program, arguments, folder);
        // The shell opens the log and then execs the program, so that its process id is the program's.
        var start = new ProcessStartInfo("sh", ["-c", "exec \"$@\" </dev/null >>\"$0\" 2>&1", logFile, lent.FileName, .. lent.ArgumentList])
        {
            WorkingDirectory = folder,
        };
        start.Environment.Clear();
        foreach (var (name, value) in lent.Environment) start.Environment[name] = value;
        return new(Process.Start(start)!);
    }

    internal void Kill() => _process.Kill();

    public void Dispose() => _process.Dispose();
}
