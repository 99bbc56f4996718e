using System.Diagnostics;
using System.Globalization;

namespace ReplicaRouter.Testing.Processes;

/// <summary>A running server: the postmaster and its children, all of which work in the data directory.</summary>
internal sealed class ServerProcess : IDisposable
{
    private readonly Process? _child;
    private readonly string _dataDirectory;

    private ServerProcess(int id, Process? child, string dataDirectory) => (Id, _child, _dataDirectory) = (id, child, dataDirectory);

    internal int Id { get; }

    /// <remarks>Who is not our child may stay a zombie when it has ended, and works in no folder then.</remarks>
    internal bool IsRunning => _child is { } child ? !child.HasExited : FolderProcesses.FolderOf(Id) == _dataDirectory;

    internal static ServerProcess Start(ServerAccount account, string program, string dataDirectory, string configurationFile, string logFile)
    {
        var server = account.Run(program, ["-D", dataDirectory, "-c", $"config_file={configurationFile}"], dataDirectory);
        // The shell only opens the log and turns into the server, so that its process id is the postmaster's.
        var start = new ProcessStartInfo("sh", ["-c", "exec \"$@\" </dev/null >>\"$0\" 2>&1", logFile, server.FileName, .. server.ArgumentList])
        {
            WorkingDirectory = dataDirectory,
        };
        start.Environment.Clear();
        foreach (var (name, value) in server.Environment) start.Environment[name] = value;
        var child = Process.Start(start)!;
        return new(child.Id, child, dataDirectory);
    }

    /// <summary>The server that another process has started in a data directory, or null when none runs there.</summary>
    internal static ServerProcess? Find(string dataDirectory)
    {
        if (!int.TryParse(LockFile.Read(dataDirectory).FirstOrDefault(), CultureInfo.InvariantCulture, out var id)) return null;
        // The lock file of a server that was killed stays, and its number may be another process's by now.
        var found = new ServerProcess(id, null, dataDirectory);
        return found.IsRunning ? found : null;
    }

    internal void Send(Signal signal) => Native.Kill(Id, signal);

    internal void Suspend()
    {
        Send(Signal.Suspend);
        // The postmaster may have been in a fork: look again until there's nobody new.
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

    /// <summary>Kills what is there; suspended processes too.</summary>
    /// <returns>Whether nothing was left.</returns>
    internal bool TryKillAll()
    {
        if (IsRunning) Send(Signal.Kill);
        var left = Members();
        foreach (var id in left) Native.Kill(id, Signal.Kill);
        return left.Count == 0 && !IsRunning;
    }

    public void Dispose() => _child?.Dispose();

    /// <summary>The live processes of this server. A child outlives its postmaster for a moment, or for long when suspended,
    /// and is in a session of its own: the working directory is what they always share.</summary>
    private IReadOnlyList<int> Members() => FolderProcesses.Find(folder => folder == _dataDirectory || folder == _dataDirectory + " (deleted)");
}
