using System.Security.Cryptography;
using Npgsql;
using ReplicaRouter.Testing;
using ReplicaRouter.Testing.Cluster;
using ReplicaRouter.Testing.Processes;

namespace ReplicaRouter.PatroniTests;

/// <summary>What all members of a Patroni cluster have in common.</summary>
internal sealed record PatroniSetup(ServerAccount Account, string Binaries, string Folder, int EtcdPort, string Password)
{
    internal const string Scope = "replicarouter";
    internal const string Host = "127.0.0.1";
    internal const string App = "app";
    internal const string Superuser = "postgres";

    internal static async Task<PatroniSetup> CreateAsync(int etcdPort, CancellationToken ct)
    {
        var account = ServerAccount.Resolve();
        var binaries = await PostgresBinaries.FindAsync(new LocalClusterOptions(), account, ct);
        foreach (var program in (string[])["pg_basebackup", "pg_rewind", "pg_controldata"])
        {
            if (!File.Exists(Path.Combine(binaries.Folder, program)))
                throw new LocalClusterException($"Patroni needs '{program}', which '{binaries.Folder}' lacks. Name another folder in {PostgresBinaries.FolderVariable}.");
        }
        var folder = Directory.CreateTempSubdirectory("replicarouter-patroni-").FullName;
        account.Own(folder);
        return new(account, binaries.Folder, folder, etcdPort, RandomNumberGenerator.GetHexString(32, lowercase: true));
    }

    internal string ConnectionString(int port) => new NpgsqlConnectionStringBuilder
    {
        Host = Host,
        Port = port,
        Database = App,
        Username = App,
        Password = Password,
    }.ConnectionString;

    // Not pooled: a control connection must meet the server as it is now.
    internal string SuperuserConnectionString(int port) => new NpgsqlConnectionStringBuilder
    {
        Host = Host,
        Port = port,
        Database = "postgres",
        Username = Superuser,
        Password = Password,
        Pooling = false,
        Timeout = 2,
        CommandTimeout = 2,
        CancellationTimeout = -1,
    }.ConnectionString;

    internal string NewFolder(string name)
    {
        var folder = Directory.CreateDirectory(Path.Combine(Folder, name)).FullName;
        Account.Own(folder);
        return folder;
    }

    /// <summary>The last lines of all logs, without the password.</summary>
    internal string LogEnds()
    {
        var ends = Directory.GetFiles(Folder, "*.log").Order().Select(log => $"{Path.GetFileName(log)}:\n{string.Join('\n', File.ReadLines(log).TakeLast(12))}");
        return string.Join("\n\n", ends).Replace(Password, "***", StringComparison.Ordinal);
    }
}
