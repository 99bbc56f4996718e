using ReplicaRouter.Testing.Processes;

namespace ReplicaRouter.PatroniTests;

/// <summary>One host of the cluster: a Patroni process and its PostgreSQL server.</summary>
internal sealed class PatroniNode : IDisposable
{
    private readonly PatroniSetup _setup;
    private readonly LoopbackPort _port = LoopbackPort.Any();
    private readonly LoopbackPort _apiPort = LoopbackPort.Any();
    private readonly string _folder;
    private LoggedProcess? _patroni;

    internal PatroniNode(PatroniSetup setup, string name)
    {
        (_setup, Name) = (setup, name);
        _folder = setup.NewFolder(Beginning + "patroni");
        ConfigurationFile = Path.Combine(_folder, "patroni.yml");
        var text = PatroniConfiguration.Of(setup, name, Port, _apiPort.Number, Path.Combine(setup.Folder, Beginning + "data"), Path.Combine(_folder, "pgpass"));
        File.WriteAllText(ConfigurationFile, text);
        setup.Account.Own(ConfigurationFile);
    }

    internal string Name { get; }

    internal int Port => _port.Number;

    internal string ConfigurationFile { get; }

    internal Uri Api => new($"http://{PatroniSetup.Host}:{_apiPort.Number}");

    internal string ConnectionString => _setup.ConnectionString(Port);

    internal string SuperuserConnectionString => _setup.SuperuserConnectionString(Port);

    /// <summary>Whether Patroni has ended unexpectedly.</summary>
    internal bool HasFailed => _patroni is { IsRunning: false };

    // Ends with a dot, so that no name is a prefix of another.
    private string Beginning => Name + ".";

    internal void Start()
    {
        _patroni = LoggedProcess.Start(_setup.Account, "patroni", [ConfigurationFile], _folder, Path.Combine(_setup.Folder, Name + ".log"));
    }

    /// <summary>Sends SIGKILL to all processes of this host. Patroni first, because it would restart its server.</summary>
    internal void KillAll()
    {
        _patroni?.Kill();
        _patroni?.Dispose();
        _patroni = null;
        HostProcesses.KillAll(Path.Combine(_setup.Folder, Beginning));
    }

    public void Dispose()
    {
        _patroni?.Dispose();
        _port.Dispose();
        _apiPort.Dispose();
    }
}
