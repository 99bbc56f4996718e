using System.Globalization;
using Npgsql;
using ReplicaRouter.Testing;
using ReplicaRouter.Testing.Processes;

namespace ReplicaRouter.ClusterTests;

/// <summary>A real PgBouncer in front of one server, in transaction pooling mode. Nothing of it is left when it is disposed, nor when the
/// process that started it is killed.</summary>
internal sealed class PgBouncer : IAsyncDisposable
{
    private const string Program = "/usr/sbin/pgbouncer";
    private static readonly TimeSpan s_startLimit = TimeSpan.FromSeconds(10);
    private readonly NpgsqlConnectionStringBuilder _server;
    private readonly LoopbackPort _port = LoopbackPort.Any();
    private readonly string _folder = Directory.CreateTempSubdirectory("replicarouter-pgbouncer-").FullName;
    private readonly Guard _guard;
    private LoggedProcess? _process;

    private PgBouncer(LocalServer server)
    {
        _server = new(server.ConnectionString);
        _guard = Guard.Over(_folder);
    }

    /// <summary>The settings of a start packet that the router's hosts need, which PgBouncer 1.18 refuses unless told to ignore them.</summary>
    public const string IgnoredByDefault = "extra_float_digits,options";

    /// <summary>Npgsql connection string of the ordinary user.</summary>
    public string ConnectionString => new NpgsqlConnectionStringBuilder(_server.ConnectionString) { Port = _port.Number }.ConnectionString;

    private string LogFile => _folder + "/pgbouncer.log";

    /// <summary>Starts a pooler, and waits until a query comes through.</summary>
    /// <param name="server">The server behind it, running.</param>
    /// <param name="ignored">Its <c>ignore_startup_parameters</c>.</param>
    /// <param name="ct">Gives up.</param>
    public static async Task<PgBouncer> StartAsync(LocalServer server, string ignored, CancellationToken ct)
    {
        if (!File.Exists(Program)) throw new LocalClusterException("PgBouncer is not installed. './test' installs what is missing.");
        var pooler = new PgBouncer(server);
        try
        {
            pooler.Start(ignored);
            await Wait.UntilAsync(pooler.IsReadyAsync, s_startLimit, () => $"PgBouncer before '{server.Name}' is not ready:\n{File.ReadAllText(pooler.LogFile)}", ct);
            return pooler;
        }
        catch
        {
            await pooler.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _guard.ReleaseAsync();
        _guard.Dispose();
        _process?.Dispose();
        _port.Dispose();
    }

    private void Start(string ignored)
    {
        var account = ServerAccount.Resolve();
        Write(account, "users.txt", $"""
            "{_server.Username}" "{_server.Password}"
            """);
        Write(account, "pgbouncer.ini", Configuration(ignored));
        account.Own(_folder);
        _process = LoggedProcess.Start(account, Program, ["pgbouncer.ini"], _folder, LogFile);
    }

    private void Write(ServerAccount account, string name, string text)
    {
        var file = Path.Combine(_folder, name);
        File.WriteAllText(file, text + "\n");
        account.Own(file);
    }

    private string Configuration(string ignored) => string.Create(CultureInfo.InvariantCulture, $"""
        [databases]
        {_server.Database} = host={_server.Host} port={_server.Port}

        [pgbouncer]
        listen_addr = 127.0.0.1
        listen_port = {_port.Number}
        unix_socket_dir =
        auth_type = scram-sha-256
        auth_file = users.txt
        pool_mode = transaction
        ignore_startup_parameters = {ignored}
        """);

    private async Task<bool> IsReadyAsync(CancellationToken ct)
    {
        if (_process is not { IsRunning: true }) throw new LocalClusterException($"PgBouncer has ended:\n{await File.ReadAllTextAsync(LogFile, ct)}");
        try
        {
            await using var connection = new NpgsqlConnection(ConnectionString + ";Pooling=false");
            await connection.OpenAsync(ct);
            return true;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }
}
