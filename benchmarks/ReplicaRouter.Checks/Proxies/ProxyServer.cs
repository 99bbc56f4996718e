using Npgsql;
using ReplicaRouter.Testing;
using ReplicaRouter.Testing.Processes;

namespace ReplicaRouter.Checks.Proxies;

/// <summary>A running proxy in front of servers of a local cluster. Its processes and files are removed when it is disposed, or when the process that started it
/// ends for any reason.</summary>
internal sealed class ProxyServer : IAsyncDisposable
{
    private static readonly TimeSpan s_startLimit = TimeSpan.FromSeconds(15);
    private readonly IProxyKind _kind;
    private readonly LoopbackPort _port = LoopbackPort.Any();
    private readonly LoopbackPort _controlPort = LoopbackPort.Any();
    private readonly Guard _guard;
    private LoggedProcess? _process;

    private ProxyServer(IProxyKind kind, LocalServer server)
    {
        _kind = kind;
        ConnectionString = new NpgsqlConnectionStringBuilder(server.ConnectionString) { Port = _port.Number }.ConnectionString;
        _guard = Guard.Over(Folder, ServerAccount.Resolve());
    }

    /// <summary>The proxy's port on 127.0.0.1.</summary>
    public int Port => _port.Number;

    /// <summary>The ordinary user's Npgsql connection string, through the proxy.</summary>
    public string ConnectionString { get; }

    /// <summary>The working directory of the proxy and the processes that it forks.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("replicarouter-proxy-").FullName;

    private string LogFile => Path.Combine(Folder, "proxy.log");

    /// <summary>Starts a proxy, and waits until a query comes through.</summary>
    /// <param name="kind">The proxy program.</param>
    /// <param name="server">Any server behind the proxy: all share users and databases.</param>
    /// <param name="ct">Cancels the start.</param>
    public static async Task<ProxyServer> StartAsync(IProxyKind kind, LocalServer server, CancellationToken ct)
    {
        if (!File.Exists(kind.Program)) throw new LocalClusterException($"{kind.Name} is not installed: there is no {kind.Program}. './test' and './bench' install what is missing.");
        var proxy = new ProxyServer(kind, server);
        try
        {
            proxy.Start();
            await Wait.UntilAsync(proxy.IsReadyAsync, s_startLimit, () => $"{kind.Name} in front of '{server.Name}' is not ready:\n{File.ReadAllText(proxy.LogFile)}", ct);
            return proxy;
        }
        catch
        {
            await proxy.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _guard.ReleaseAsync();
        _guard.Dispose();
        _process?.Dispose();
        _port.Dispose();
        _controlPort.Dispose();
    }

    private void Start()
    {
        var account = ServerAccount.Resolve();
        foreach (var (name, text) in _kind.Files(new(Folder, _port.Number, _controlPort.Number)))
        {
            var file = Path.Combine(Folder, name);
            File.WriteAllText(file, text + "\n");
            account.Own(file);
        }

        account.Own(Folder);
        _process = LoggedProcess.Start(account, _kind.Program, _kind.Arguments, Folder, LogFile);
    }

    private async Task<bool> IsReadyAsync(CancellationToken ct)
    {
        if (_process is not { IsRunning: true }) throw new LocalClusterException($"{_kind.Name} has ended:\n{await File.ReadAllTextAsync(LogFile, ct)}");
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
