using System.Globalization;
using ReplicaRouter.Testing.Processes;

namespace ReplicaRouter.PatroniTests;

/// <summary>The processes that work inside of folders of this beginning: what a killed host would lose.</summary>
internal static class FolderProcesses
{
    /// <summary>Kills until nothing is left; what was in a fork is found in the next round.</summary>
    internal static void KillAll(string beginning)
    {
        while (Find(beginning) is { Count: > 0 } found)
        {
            foreach (var id in found) Native.Kill(id, Signal.Kill);
        }
    }

    private static List<int> Find(string beginning)
    {
        List<int> found = [];
        foreach (var process in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(process), CultureInfo.InvariantCulture, out var id) && WorksIn(process, beginning)) found.Add(id);
        }
        return found;
    }

    private static bool WorksIn(string process, string beginning)
    {
        try
        {
            return new FileInfo(process + "/cwd").LinkTarget?.StartsWith(beginning, StringComparison.Ordinal) ?? false;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return false; // It has ended, or is another user's.
        }
    }
}
