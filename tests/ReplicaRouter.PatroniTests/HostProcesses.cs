using ReplicaRouter.Testing.Processes;

namespace ReplicaRouter.PatroniTests;

/// <summary>Kills the processes whose working folders have a common prefix: everything that a dead host would lose.</summary>
internal static class HostProcesses
{
    /// <summary>Kills processes until none is left; children forked meanwhile are found in the next round.</summary>
    internal static void KillAll(string beginning)
    {
        while (FolderProcesses.Find(folder => folder.StartsWith(beginning, StringComparison.Ordinal)) is { Count: > 0 } found)
        {
            foreach (var id in found) Native.Kill(id, Signal.Kill);
        }
    }
}
