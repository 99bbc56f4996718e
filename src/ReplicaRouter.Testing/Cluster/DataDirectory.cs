using System.Diagnostics;
using Npgsql;
using ReplicaRouter.Testing.Processes;

namespace ReplicaRouter.Testing.Cluster;

/// <summary>Creates, copies and removes the files of a server.</summary>
/// <remarks>
/// Under root, the servers run as another account. That account owns the data directory and could replace anything in it by a link, so only programs that
/// run as that account work there. Files next to it, in the cluster's folder, can be changed only by our own user.
/// </remarks>
internal static class DataDirectory
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Copies $1 to $2 without the files that a base backup omits. The replica streams its WAL from the start of the backup.</summary>
    /// <remarks>A live server changes and removes files during the copy, which makes tar exit with 1; WAL replay repeats those changes on the copy.</remarks>
    private const string CopyScript = """
        emptied='pg_wal pg_replslot pg_dynshmem pg_notify pg_serial pg_snapshots pg_stat_tmp pg_subtrans'
        left_out='postmaster.pid postmaster.opts backup_label'
        tar -C "$1" -h $(printf -- '--exclude=./%s/* ' $emptied) $(printf -- '--exclude=./%s ' $left_out) -cf - . | tar -C "$2" -xpf -
        codes=("${PIPESTATUS[@]}")
        [ "${codes[0]}" -le 1 ] && [ "${codes[1]}" -eq 0 ]
        """;

    /// <summary>Turns the copy in $1 into a standby; $2 is the backup's label.</summary>
    private const string StandbyScript = """printf '%s' "$2" >"$1/backup_label" && : >"$1/standby.signal" """;

    /// <summary>Creates the folder of a cluster that outlives its process. It must contain nothing else, because it is later removed as a whole.</summary>
    internal static string CreateEmpty(string folder)
    {
        folder = Path.GetFullPath(folder);
        ServerAccount.CheckOwn(folder);
        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
            throw new LocalClusterException($"'{folder}' contains something other than a cluster. Choose another folder, or empty this one.");
        try
        {
            if (Path.GetDirectoryName(folder) is { } parent) Directory.CreateDirectory(parent);
            Directory.CreateDirectory(folder, Private);
            File.SetUnixFileMode(folder, Private);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new LocalClusterException($"'{folder}' can't be created: {refused.Message}", refused);
        }

        return folder;
    }

    internal static async Task InitializeAsync(ClusterSetup setup, string folder, CancellationToken cancellationToken)
    {
        var passwordFile = folder + ".password";
        await File.WriteAllTextAsync(setup.PasswordFile, $"*:*:*:*:{setup.SuperuserPassword}\n", cancellationToken).ConfigureAwait(false);
        await File.WriteAllTextAsync(passwordFile, setup.SuperuserPassword, cancellationToken).ConfigureAwait(false);
        foreach (var file in (string[])[setup.PasswordFile, passwordFile])
        {
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            setup.Account.Own(file);
        }
        Create(setup, folder);
        string[] arguments =
        [
            "--pgdata", folder, "--username", ClusterSetup.Superuser, "--auth", "scram-sha-256", "--pwfile", passwordFile,
            "--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions",
        ];
        var (exitCode, output) = await Command.RunAsync(setup.Account.Run(setup.Binaries.InitDb, arguments, setup.Folder), cancellationToken).ConfigureAwait(false);
        if (exitCode != 0) throw setup.Failure($"initdb of PostgreSQL {setup.Binaries.Major} failed.", output);
        File.Delete(passwordFile);
    }

    /// <summary>Takes a base backup of a running primary, ready to start as its standby.</summary>
    /// <remarks>Source: PostgreSQL manual, "Making a Base Backup Using the Low Level API". Needs neither pg_basebackup nor
    /// pg_rewind, which small distributions omit.</remarks>
    internal static async Task BackUpAsync(ClusterSetup setup, LocalServer source, string folder, CancellationToken cancellationToken)
    {
        using var session = new NpgsqlConnection(source.SuperuserConnectionString);
        await session.OpenAsync(cancellationToken).ConfigureAwait(false);
        using var begin = new NpgsqlCommand("SELECT pg_backup_start('replicarouter', fast => true)", session);
        await begin.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false);
        Create(setup, folder);
        await RunAsync(setup, CopyScript, [source.DataDirectory, folder], cancellationToken).ConfigureAwait(false);
        using var end = new NpgsqlCommand("SELECT labelfile FROM pg_backup_stop(wait_for_archive => false)", session);
        var label = (string)(await end.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
        await RunAsync(setup, StandbyScript, [folder, label], cancellationToken).ConfigureAwait(false);
    }

    internal static async Task RemoveAsync(ClusterSetup setup, string folder, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(folder)) return;
        await LockFile.RemoveAsync(setup.Account, folder, cancellationToken).ConfigureAwait(false);
        await RemoveFolderAsync(folder, cancellationToken).ConfigureAwait(false);
    }

    /// <remarks><c>rm</c> follows no link, not even one that replaces a folder while it works. .NET's own method would follow that one.</remarks>
    internal static async Task RemoveFolderAsync(string folder, CancellationToken cancellationToken)
    {
        var (exitCode, output) = await Command.RunAsync(new ProcessStartInfo("rm", ["-rf", "--", folder]), cancellationToken).ConfigureAwait(false);
        if (exitCode != 0) throw new LocalClusterException($"'{folder}' could not be removed: {output}");
    }

    private static void Create(ClusterSetup setup, string folder)
    {
        Directory.CreateDirectory(folder, Private);
        setup.Account.Own(folder);
    }

    private static async Task RunAsync(ClusterSetup setup, string script, string[] arguments, CancellationToken cancellationToken)
    {
        var (exitCode, output) = await Command.RunAsync(setup.Account.Run("bash", ["-c", script, "bash", .. arguments], setup.Folder), cancellationToken).ConfigureAwait(false);
        if (exitCode != 0) throw setup.Failure($"The base backup failed.", output);
    }
}
