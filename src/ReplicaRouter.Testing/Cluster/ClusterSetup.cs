using Npgsql;
using ReplicaRouter.Testing.Processes;

namespace ReplicaRouter.Testing.Cluster;

/// <summary>What all servers of a cluster share.</summary>
internal sealed record ClusterSetup(LocalClusterOptions Options, ServerAccount Account, PostgresBinaries Binaries, string Folder, string SuperuserPassword)
{
    internal const string Superuser = "replicarouter";
    internal const string Host = "127.0.0.1";

    internal string PasswordFile => Path.Combine(Folder, "pgpass");

    internal TimeSpan Timeout => Options.StartTimeout;

    internal string ConnectionString(int port) => new NpgsqlConnectionStringBuilder
    {
        Host = Host,
        Port = port,
        Database = Options.Database,
        Username = Options.User,
        Password = Options.Password,
    }.ConnectionString;

    // Not pooled: a control connection must see the server as it is now, and must not keep it from stopping.
    internal string SuperuserConnectionString(int port) => new NpgsqlConnectionStringBuilder
    {
        Host = Host,
        Port = port,
        Database = "postgres",
        Username = Superuser,
        Password = SuperuserPassword,
        Pooling = false,
        CancellationTimeout = -1,
    }.ConnectionString;

    internal string Url(int port) =>
        $"postgresql://{Uri.EscapeDataString(Options.User)}:{Uri.EscapeDataString(Options.Password)}@{Host}:{port}/{Uri.EscapeDataString(Options.Database)}";

    /// <summary>Returns an error with what failed, the cause if the disk is full, and the end of the log without passwords.</summary>
    internal LocalClusterException Failure(string what, string log, Exception? cause = null)
    {
        var diskIsFull = log.Contains("No space left on device", StringComparison.Ordinal)
            || (cause?.Message.Contains("No space left on device", StringComparison.Ordinal) ?? false);
        var why = diskIsFull ? $" The disk of '{Folder}' is full: free some space, or set TMPDIR to a folder on another disk." : "";
        var end = Scrub(string.Join('\n', log.Split('\n').TakeLast(15)).Trim());
        return new(what + why + (end.Length == 0 ? "" : $" Last lines of the log:\n{end}"), cause);
    }

    /// <summary>Without the superuser's password.</summary>
    public override string ToString() => Folder;

    private string Scrub(string text) => text
        .Replace(SuperuserPassword, "***", StringComparison.Ordinal)
        .Replace(Options.Password, "***", StringComparison.Ordinal);
}
