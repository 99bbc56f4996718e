using System.Globalization;

namespace ReplicaRouter.Testing.Processes;

/// <summary>Processes by the folder that they work in: what they were forked by, and are followed by, shares it.</summary>
internal static class FolderProcesses
{
    internal static IReadOnlyList<int> Find(Func<string, bool> isFolder)
    {
        List<int> found = [];
        foreach (var process in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(process), CultureInfo.InvariantCulture, out var id)) continue;
            try
            {
                if (new FileInfo(process + "/cwd").LinkTarget is { } folder && isFolder(folder)) found.Add(id);
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
            {
                // It has ended, or is another user's.
            }
        }
        return found;
    }
}
