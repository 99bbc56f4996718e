using ReplicaRouter.Testing.Processes;

namespace ReplicaRouter.PatroniTests;

/// <summary>The processes that work inside of folders of this beginning: what a killed host would lose.</summary>
internal static class HostProcesses
{
    /// <summary>Kills until nothing is left; what was in a fork is found in the next round.</summary>
    internal static void KillAll(string beginning)
    {
        while (FolderProcesses.Find(folder => folder.StartsWith(beginning, StringComparison.Ordinal)) is { Count: > 0 } found)
        {
            foreach (var id in found) Native.Kill(id, Signal.Kill);
        }
    }
}
