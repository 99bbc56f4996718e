using System.Globalization;
using System.Security.Cryptography;
using Npgsql;
using ReplicaRouter.Testing;
using ReplicaRouter.Testing.Processes;

namespace ReplicaRouter.PatroniTests;

/// <summary>The settings that all members of a Patroni cluster share.</summary>
internal sealed record PatroniSetup(ServerAccount Account, string Binaries, string Folder, int EtcdPort, string Password)
{
    internal const string Scope = "replicarouter";
    internal const string Host = "127.0.0.1";
    internal const string App = "app";
    internal const string Superuser = "postgres";

    internal static PatroniSetup Create(int etcdPort)
    {
        var account = ServerAccount.Resolve();
        var binaries = FindBinaries();
        var folder = Directory.CreateTempSubdirectory("replicarouter-patroni-").FullName;
        account.Own(folder);
        return new(account, binaries, folder, etcdPort, RandomNumberGenerator.GetHexString(32, lowercase: true));
    }

    internal string ConnectionString(int port) => new NpgsqlConnectionStringBuilder
    {
        Host = Host,
        Port = port,
        Database = App,
        Username = App,
        Password = Password,
    }.ConnectionString;

    // Not pooled: a control connection must see the server's current state.
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

    /// <summary>Returns the newest PostgreSQL of Debian's packages: other distributions can lack programs that Patroni needs.</summary>
    private static string FindBinaries()
    {
        if (!File.Exists("/usr/bin/patroni") || !File.Exists("/usr/bin/etcd")) throw new LocalClusterException("Patroni or etcd is not installed. './test --patroni' installs what is missing.");
        return Directory.GetDirectories("/usr/lib/postgresql")
            .Select(folder => Path.Combine(folder, "bin"))
            .Where(folder => File.Exists(Path.Combine(folder, "pg_rewind")))
            .MaxBy(folder => int.Parse(Path.GetFileName(Path.GetDirectoryName(folder)!), CultureInfo.InvariantCulture))
            ?? throw new LocalClusterException("There is no PostgreSQL in /usr/lib/postgresql. './test --patroni' installs what is missing.");
    }

    /// <summary>Returns the last lines of all logs, without the password.</summary>
    internal string LogEnds()
    {
        var ends = Directory.GetFiles(Folder, "*.log").Order().Select(log => $"{Path.GetFileName(log)}:\n{string.Join('\n', File.ReadLines(log).TakeLast(12))}");
        return string.Join("\n\n", ends).Replace(Password, "***", StringComparison.Ordinal);
    }
}
