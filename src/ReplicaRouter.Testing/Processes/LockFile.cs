namespace ReplicaRouter.Testing.Processes;

/// <summary>A server's <c>postmaster.pid</c>: its process id in line 1, its state in line 8.</summary>
/// <remarks>The servers' account can replace the file by anything.</remarks>
internal static class LockFile
{
    private const string Name = "postmaster.pid";
    private const int Longest = 4096;

    /// <summary>Removes the file, and the System V segment that its line 7 names as "key id". Runs with the rights of the servers' account.</summary>
    private const string RemoveScript = """[ ! -f "$1" ] || ipcrm -m "$(sed -n '7s/.* //p' "$1")"; rm -f "$1" """;

    /// <returns>The lines of the file; none if it does not exist.</returns>
    internal static string[] Read(string dataDirectory)
    {
        var file = Path.Combine(dataDirectory, Name);
        // A link could lead to a file that only root may read, and a pipe would wait for a writer.
        if (Native.Look(file) is not { IsFile: true }) return [];
        try
        {
            using var reader = new StreamReader(file);
            var text = new char[Longest];
            return new string(text, 0, reader.ReadBlock(text)).Split('\n');
        }
        catch (FileNotFoundException)
        {
            // A starting postmaster deletes the file that its killed predecessor left.
            return [];
        }
    }

    /// <summary>Removes what marks the directory of a killed server as in use.</summary>
    internal static Task RemoveAsync(ServerAccount account, string dataDirectory, CancellationToken cancellationToken) =>
        Command.RunAsync(account.Run("sh", ["-c", RemoveScript, "sh", Path.Combine(dataDirectory, Name)], "/"), cancellationToken);
}
