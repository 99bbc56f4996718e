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
            if (FolderOf(id) is { } folder && isFolder(folder)) found.Add(id);
        }
        return found;
    }

    /// <returns>Null when the process has ended, or is another user's.</returns>
    internal static string? FolderOf(int processId)
    {
        try
        {
            return new FileInfo(string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}/cwd")).LinkTarget;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
