using ReplicaRouter.Testing.Processes;

namespace ReplicaRouter.PatroniTests;

/// <summary>The etcd server that stores the cluster's leader key.</summary>
internal sealed class EtcdServer : IDisposable
{
    private readonly LoopbackPort _clients;
    private readonly LoopbackPort _peers;
    private LoggedProcess? _process;

    private EtcdServer(LoopbackPort clients, LoopbackPort peers) => (_clients, _peers) = (clients, peers);

    internal int Port => _clients.Number;

    internal bool HasFailed => _process is { IsRunning: false };

    internal static EtcdServer OnFreePorts() => new(LoopbackPort.Any(), LoopbackPort.Any());

    internal void Start(PatroniSetup setup)
    {
        var (clients, peers) = (Url(_clients), Url(_peers));
        string[] arguments =
        [
            "--name", "etcd", "--data-dir", "data", "--initial-cluster", $"etcd={peers}",
            "--listen-client-urls", clients, "--advertise-client-urls", clients, "--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers,
        ];
        _process = LoggedProcess.Start(setup.Account, "etcd", arguments, setup.NewFolder("etcd"), Path.Combine(setup.Folder, "etcd.log"));
    }

    internal async Task<bool> IsHealthyAsync(HttpClient http, CancellationToken ct)
    {
        try
        {
            return (await http.GetStringAsync(new Uri(Url(_clients) + "/health"), ct)).Contains("\"true\"", StringComparison.Ordinal);
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        _process?.Dispose();
        _clients.Dispose();
        _peers.Dispose();
    }

    private static string Url(LoopbackPort port) => $"http://{PatroniSetup.Host}:{port.Number}";
}
