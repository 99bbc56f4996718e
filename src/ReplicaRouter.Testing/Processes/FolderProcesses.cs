using System.Globalization;

namespace ReplicaRouter.Testing.Processes;

/// <summary>Finds processes by their working directory, which forked processes inherit.</summary>
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

    /// <returns>The working directory; null if the process has ended or belongs to another user.</returns>
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
