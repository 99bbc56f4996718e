using System.Diagnostics;
using System.Globalization;

namespace ReplicaRouter.Testing.Processes;

/// <summary>A running server: the postmaster and its children, whose working directory is the data directory.</summary>
internal sealed class ServerProcess : IDisposable
{
    private readonly Process? _child;
    private readonly string _dataDirectory;

    private ServerProcess(int id, Process? child, string dataDirectory) => (Id, _child, _dataDirectory) = (id, child, dataDirectory);

    internal int Id { get; }

    /// <remarks>A process that is not our child can stay a zombie after it ends; a zombie has no working directory.</remarks>
    internal bool IsRunning => _child is { } child ? !child.HasExited : FolderProcesses.FolderOf(Id) == _dataDirectory;

    internal static ServerProcess Start(ServerAccount account, string program, string dataDirectory, string configurationFile, string logFile)
    {
        var server = account.Run(program, ["-D", dataDirectory, "-c", $"config_file={configurationFile}"], dataDirectory);
        // The shell opens the log and then execs the server, so that its process id is the postmaster's.
        var start = new ProcessStartInfo("sh", ["-c", "exec \"$@\" </dev/null >>\"$0\" 2>&1", logFile, server.FileName, .. server.ArgumentList])
        {
            WorkingDirectory = dataDirectory,
        };
        start.Environment.Clear();
        foreach (var (name, value) in server.Environment) start.Environment[name] = value;
        var child = Process.Start(start)!;
        return new(child.Id, child, dataDirectory);
    }

    /// <summary>Returns the server that another process started in a data directory; null if none is running there.</summary>
    internal static ServerProcess? Find(string dataDirectory)
    {
        if (!int.TryParse(LockFile.Read(dataDirectory).FirstOrDefault(), CultureInfo.InvariantCulture, out var id)) return null;
        // A killed server leaves its lock file, whose process id can belong to another process by now.
        var found = new ServerProcess(id, null, dataDirectory);
        return found.IsRunning ? found : null;
    }

    internal void Send(Signal signal) => Native.Kill(Id, signal);

    internal void Suspend()
    {
        Send(Signal.Suspend);
        // The postmaster may have been forking: look again until there is no new process.
        for (HashSet<int> known = []; ;)
        {
            var added = Members().Where(known.Add).ToList();
            if (added.Count == 0) return;
            foreach (var id in added) Native.Kill(id, Signal.Suspend);
        }
    }

    internal void Resume()
    {
        foreach (var id in Members()) Native.Kill(id, Signal.Continue);
    }

    /// <summary>Kills all current processes, even suspended ones.</summary>
    /// <returns>Whether there was none left to kill.</returns>
    internal bool TryKillAll()
    {
        if (IsRunning) Send(Signal.Kill);
        var left = Members();
        foreach (var id in left) Native.Kill(id, Signal.Kill);
        return left.Count == 0 && !IsRunning;
    }

    public void Dispose() => _child?.Dispose();

    /// <summary>Returns the live processes of this server. A child briefly outlives its postmaster, or for long if suspended,
    /// and has its own session; only the working directory is always shared.</summary>
    private IReadOnlyList<int> Members() => FolderProcesses.Find(folder => folder == _dataDirectory || folder == _dataDirectory + " (deleted)");
}
