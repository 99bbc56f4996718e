using System.Globalization;
using Npgsql;
using ReplicaRouter.Testing.Processes;

namespace ReplicaRouter.Testing.Cluster;

/// <summary>Makes, copies and removes the files of a server.</summary>
internal static class DataDirectory
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private static readonly HashSet<string> s_leftOut = ["postmaster.pid", "postmaster.opts", "backup_label"];

    // Contents that a base backup leaves out; a replica streams its WAL from the start of the backup on.
    private static readonly HashSet<string> s_emptied =
        ["pg_wal", "pg_replslot", "pg_dynshmem", "pg_notify", "pg_serial", "pg_snapshots", "pg_stat_tmp", "pg_subtrans"];

    /// <summary>Makes the folder of a cluster that outlives its process. It is never one that holds anything else: it will be removed as a whole.</summary>
    internal static string CreateEmpty(string folder)
    {
        folder = Path.GetFullPath(folder);
        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
            throw new LocalClusterException($"'{folder}' holds something that is no cluster: choose another folder, or empty this one.");
        try
        {
            if (Path.GetDirectoryName(folder) is { } parent) Directory.CreateDirectory(parent);
            Directory.CreateDirectory(folder, Private);
            File.SetUnixFileMode(folder, Private);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new LocalClusterException($"'{folder}' can't be made: {refused.Message}", refused);
        }

        return folder;
    }

    internal static async Task InitializeAsync(ClusterSetup setup, string folder, CancellationToken ct)
    {
        var passwordFile = folder + ".password";
        await File.WriteAllTextAsync(setup.PasswordFile, $"*:*:*:*:{setup.SuperuserPassword}\n", ct).ConfigureAwait(false);
        await File.WriteAllTextAsync(passwordFile, setup.SuperuserPassword, ct).ConfigureAwait(false);
        foreach (var file in (string[])[setup.PasswordFile, passwordFile])
        {
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            setup.Account.Own(file);
        }
        string[] arguments =
        [
            "--pgdata", folder, "--username", ClusterSetup.Superuser, "--auth", "scram-sha-256", "--pwfile", passwordFile,
            "--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions",
        ];
        var (exitCode, output) = await Command.RunAsync(setup.Account.Run(setup.Binaries.InitDb, arguments, setup.Folder), ct).ConfigureAwait(false);
        if (exitCode != 0) throw setup.Failure($"initdb of PostgreSQL {setup.Binaries.Major} failed.", output);
        File.Delete(passwordFile);
    }

    /// <summary>Takes a base backup of a running primary, ready to start as its standby.</summary>
    /// <remarks>Source: PostgreSQL manual, "Making a Base Backup Using the Low Level API". Needs neither pg_basebackup nor
    /// pg_rewind, which small distributions leave out.</remarks>
    internal static async Task BackUpAsync(ClusterSetup setup, LocalServer source, string folder, CancellationToken ct)
    {
        using var session = new NpgsqlConnection(source.SuperuserConnectionString);
        await session.OpenAsync(ct).ConfigureAwait(false);
        using var begin = new NpgsqlCommand("SELECT pg_backup_start('replicarouter', fast => true)", session);
        await begin.ExecuteScalarAsync(ct).ConfigureAwait(false);
        await Task.Run(() => Copy(setup.Account, new(source.DataDirectory), folder, ct), ct).ConfigureAwait(false);
        using var end = new NpgsqlCommand("SELECT labelfile FROM pg_backup_stop(wait_for_archive => false)", session);
        var label = (string)(await end.ExecuteScalarAsync(ct).ConfigureAwait(false))!;
        foreach (var (file, text) in (ReadOnlySpan<(string, string)>)[("backup_label", label), ("standby.signal", "")])
        {
            File.WriteAllText(Path.Combine(folder, file), text);
            setup.Account.Own(Path.Combine(folder, file));
        }
    }

    internal static void Remove(string folder)
    {
        if (!Directory.Exists(folder)) return;
        RemoveLock(folder);
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>Removes what a killed server leaves that marks its directory as in use: the lock file, and the System V segment that its line 7 names as "key id".</summary>
    internal static void RemoveLock(string folder)
    {
        var lockFile = Path.Combine(folder, "postmaster.pid");
        if (!File.Exists(lockFile)) return;
        if (File.ReadLines(lockFile).ElementAtOrDefault(6)?.Split(' ')[^1] is { } id)
            _ = Native.ControlSharedMemory(int.Parse(id, CultureInfo.InvariantCulture), Native.RemoveSharedMemory, 0);
        File.Delete(lockFile);
    }

    private static void Copy(ServerAccount account, DirectoryInfo source, string target, CancellationToken ct)
    {
        Directory.CreateDirectory(target, Private);
        account.Own(target);
        foreach (var entry in source.EnumerateFileSystemInfos())
        {
            ct.ThrowIfCancellationRequested();
            var path = Path.Combine(target, entry.Name);
            if (entry is DirectoryInfo folder)
            {
                if (s_emptied.Contains(entry.Name))
                {
                    Directory.CreateDirectory(path, Private);
                    account.Own(path);
                }
                else Copy(account, folder, path, ct);
            }
            else if (!s_leftOut.Contains(entry.Name))
            {
                try
                {
                    File.Copy(entry.FullName, path);
                    account.Own(path);
                }
                catch (FileNotFoundException)
                {
                    // A live server removes files meanwhile; the WAL tells the same to the copy.
                }
            }
        }
    }
}
