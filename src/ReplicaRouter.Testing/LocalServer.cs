using System.Globalization;
using Npgsql;
using ReplicaRouter.Testing.Cluster;
using ReplicaRouter.Testing.Processes;

namespace ReplicaRouter.Testing;

/// <summary>One PostgreSQL server of a <see cref="LocalCluster"/>, and the faults that it can be given.</summary>
/// <remarks>Every wait is limited by <see cref="LocalClusterOptions.StartTimeout"/>, after which it throws a <see cref="LocalClusterException"/>.</remarks>
public sealed class LocalServer
{
    private readonly LocalCluster _cluster;
    private readonly ClusterSetup _setup;
    private readonly LoopbackPort _port;
    private readonly ServerConfiguration _configuration;
    private ServerProcess? _process;

    internal LocalServer(LocalCluster cluster, ClusterSetup setup, string name, LoopbackPort port)
    {
        (_cluster, _setup, Name, _port) = (cluster, setup, name, port);
        _configuration = new(setup, name, port.Number);
    }

    /// <summary>The server's name in the cluster: <c>primary</c> for the first primary, even if its role changes.</summary>
    public string Name { get; }

    /// <summary>The TCP port on 127.0.0.1. It stays the same across restarts.</summary>
    public int Port => _port.Number;

    /// <summary>Npgsql connection string of the ordinary user.</summary>
    public string ConnectionString => _setup.ConnectionString(Port);

    /// <summary>The same as a <c>postgresql://user:password@127.0.0.1:port/database</c> URL.</summary>
    public string Url => _setup.Url(Port);

    /// <summary>Npgsql connection string of the cluster's superuser for the database <c>postgres</c>, without pooling.</summary>
    public string SuperuserConnectionString => _setup.SuperuserConnectionString(Port);

    /// <summary>The data directory.</summary>
    public string DataDirectory => Path.Combine(_setup.Folder, Name);

    /// <summary>The process id of the postmaster.</summary>
    /// <exception cref="InvalidOperationException">The server is not running.</exception>
    public int ProcessId => Running.Id;

    /// <summary>Whether the postmaster exists, suspended or not.</summary>
    public bool IsRunning => _process is { IsRunning: true };

    /// <summary>The server that this one streams from; null for a server that was started or promoted as a primary.</summary>
    internal LocalServer? Upstream { get; private set; }

    internal bool IsSynchronous { get; init; }

    internal string Log => File.Exists(LogFile) ? File.ReadAllText(LogFile) : "";

    private string LogFile => DataDirectory + ".log";

    private ServerProcess Running => _process is { IsRunning: true } running ? running
        : throw new InvalidOperationException($"Server '{Name}' is not running.");

    /// <summary>Starts the server in its last role, and waits until it accepts connections. Does nothing if it is running.</summary>
    /// <exception cref="LocalClusterException">The server ended, or was not ready in time. The message has the last lines of its log.</exception>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        if (IsRunning) return;
        _configuration.WriteTo(DataDirectory);
        _process?.Dispose();
        // The process that adopted a killed server can leave it a zombie, which PostgreSQL takes for a running server.
        if (FolderProcesses.Find(folder => folder == DataDirectory).Count == 0) await LockFile.RemoveAsync(_setup.Account, DataDirectory, cancellationToken).ConfigureAwait(false);
        var process = _process = ServerProcess.Start(_setup.Account, _setup.Binaries.Postgres, DataDirectory, ServerConfiguration.FileOf(DataDirectory), LogFile);
        await WaitAsync(() => !process.IsRunning || IsReady(process.Id), "was not ready", cancellationToken).ConfigureAwait(false);
        if (!process.IsRunning) throw _setup.Failure($"Server '{Name}' ended while it was starting.", Log);
    }

    /// <summary>Shuts the server down and waits until it has ended. Resumes a suspended server first.</summary>
    /// <param name="mode">How to shut down. Default <see cref="StopMode.Fast"/>.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    public async Task StopAsync(StopMode mode = StopMode.Fast, CancellationToken cancellationToken = default)
    {
        if (_process is not { IsRunning: true } process) return;
        process.Resume();
        process.Send(mode == StopMode.Fast ? Signal.StopFast : Signal.StopImmediate);
        await WaitAsync(() => !process.IsRunning, "did not stop", cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Kills every process of the server with SIGKILL, even suspended ones, and waits until none is left.</summary>
    public async Task KillAsync(CancellationToken cancellationToken = default)
    {
        if (_process is { } process) await WaitAsync(process.TryKillAll, "did not die", cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Suspends every process of the server (SIGSTOP): the kernel still accepts connections, but nothing answers.</summary>
    /// <exception cref="InvalidOperationException">The server is not running.</exception>
    public void Suspend() => Running.Suspend();

    /// <summary>Resumes every process of the server (SIGCONT).</summary>
    /// <exception cref="InvalidOperationException">The server is not running.</exception>
    public void Resume() => Running.Resume();

    /// <summary>Suspends only the postmaster: open connections keep working, but no client can log in.</summary>
    /// <exception cref="InvalidOperationException">The server is not running.</exception>
    public void SuspendPostmaster() => Running.Send(Signal.Suspend);

    /// <summary>Resumes the postmaster.</summary>
    /// <exception cref="InvalidOperationException">The server is not running.</exception>
    public void ResumePostmaster() => Running.Send(Signal.Continue);

    /// <summary>Pauses replay on a standby and waits until it has stopped. The standby still receives WAL.</summary>
    public async Task PauseReplayAsync(CancellationToken cancellationToken = default)
    {
        await QueryAsync<object>("SELECT pg_wal_replay_pause()", cancellationToken).ConfigureAwait(false);
        await WaitForAsync("SELECT pg_get_wal_replay_pause_state() = 'paused'", "did not pause its replay", cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Resumes replay on a standby.</summary>
    public async Task ResumeReplayAsync(CancellationToken cancellationToken = default)
    {
        await QueryAsync<object>("SELECT pg_wal_replay_resume()", cancellationToken).ConfigureAwait(false);
        await WaitForAsync("SELECT pg_get_wal_replay_pause_state() = 'not paused'", "did not resume its replay", cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Makes a standby replay each commit only once it is this old (<c>recovery_min_apply_delay</c>). Waits until the setting is in effect.</summary>
    /// <param name="delay">Whole milliseconds; zero replays at once.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    public async Task SetApplyDelayAsync(TimeSpan delay, CancellationToken cancellationToken = default)
    {
        var milliseconds = ((long)delay.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
        _configuration["recovery_min_apply_delay"] = milliseconds;
        Reload();
        await WaitForAsync($"SELECT setting = '{milliseconds}' FROM pg_settings WHERE name = 'recovery_min_apply_delay'",
            "did not apply the new recovery_min_apply_delay", cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Stops streaming to a standby, which still serves reads but receives no more WAL.</summary>
    public async Task CutStreamingAsync(CancellationToken cancellationToken = default)
    {
        _configuration.UpstreamPort = null;
        Reload();
        await WaitForAsync("SELECT NOT EXISTS (SELECT FROM pg_stat_wal_receiver)", "did not stop streaming", cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Restores streaming to a standby, and waits until it streams.</summary>
    /// <exception cref="InvalidOperationException">The server is not a standby.</exception>
    public async Task RestoreStreamingAsync(CancellationToken cancellationToken = default)
    {
        Follow(Upstream ?? throw new InvalidOperationException($"Server '{Name}' is not a standby."));
        await WaitForAsync("SELECT EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming')", "did not start streaming", cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Promotes this standby and leaves the other servers unchanged: a running old primary stays a primary.</summary>
    /// <seealso cref="LocalCluster.PromoteAsync"/>
    public Task PromoteAsync(CancellationToken cancellationToken = default) => _cluster.PromoteAsync(Name, repointOthers: false, cancellationToken);

    /// <inheritdoc/>
    public override string ToString() => $"{Name} (port {Port})";

    internal async Task LeaveRecoveryAsync(CancellationToken cancellationToken)
    {
        await QueryAsync<object>("SELECT pg_promote(wait => false)", cancellationToken).ConfigureAwait(false);
        await WaitForAsync("SELECT NOT pg_is_in_recovery()", "did not become primary", cancellationToken).ConfigureAwait(false);
        Upstream = null;
        _configuration.UpstreamPort = null;
        Reload();
    }

    /// <summary>Adopts the server as another process left it.</summary>
    internal void TakeUp(LocalServer? upstream)
    {
        Upstream = upstream;
        if (!Directory.Exists(DataDirectory)) return;
        _configuration.ReadFrom(DataDirectory);
        _process = ServerProcess.Find(DataDirectory);
    }

    internal void Follow(LocalServer upstream)
    {
        Upstream = upstream;
        _configuration.UpstreamPort = upstream.Port;
        Reload();
    }

    /// <summary>Replaces the server's data by a copy of the primary's, and starts it as a standby.</summary>
    internal async Task CloneAsync(LocalServer primary, LocalServer upstream, CancellationToken cancellationToken)
    {
        await KillAsync(cancellationToken).ConfigureAwait(false);
        await Cluster.DataDirectory.RemoveAsync(_setup, DataDirectory, cancellationToken).ConfigureAwait(false);
        await Cluster.DataDirectory.BackUpAsync(_setup, primary, DataDirectory, cancellationToken).ConfigureAwait(false);
        _configuration["synchronous_standby_names"] = "";
        Follow(upstream);
        await StartAsync(cancellationToken).ConfigureAwait(false);
    }

    internal void WaitForStandbys(IReadOnlyCollection<string> names)
    {
        _configuration["synchronous_standby_names"] = names.Count == 0 ? ""
            : $"FIRST {names.Count} ({string.Join(", ", names.Select(name => $"\"{name}\""))})";
        Reload();
    }

    internal async Task<T> QueryAsync<T>(string sql, CancellationToken cancellationToken)
    {
        _ = Running;
        using var connection = new NpgsqlConnection(SuperuserConnectionString);
        await connection.OpenAsync(cancellationToken).ConfigureAwait(false);
        using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
    }

    internal void Release()
    {
        _process?.Dispose();
        _process = null;
        _port.Dispose();
    }

    private Task WaitForAsync(string sql, string complaint, CancellationToken cancellationToken) =>
        Wait.UntilAsync(bound => QueryAsync<bool>(sql, bound), _setup.Timeout, () => Late(complaint), cancellationToken);

    private async Task WaitAsync(Func<bool> condition, string complaint, CancellationToken cancellationToken)
    {
        try
        {
            await Wait.UntilAsync(condition, _setup.Timeout, () => Late(complaint), cancellationToken).ConfigureAwait(false);
        }
        catch (LocalClusterException late)
        {
            throw _setup.Failure(late.Message, Log, late.InnerException);
        }
    }

    private string Late(string complaint) => $"Server '{Name}' {complaint} within {_setup.Timeout.TotalSeconds:0.###} s.";

    private void Reload()
    {
        if (!Directory.Exists(DataDirectory)) return;
        _configuration.WriteTo(DataDirectory);
        if (_process is { IsRunning: true } process) process.Send(Signal.Reload);
    }

    // The postmaster writes its state into the lock file. pg_ctl waits for the same line.
    private bool IsReady(int processId)
    {
        var lines = LockFile.Read(DataDirectory);
        return lines.Length >= 8 && lines[0] == processId.ToString(CultureInfo.InvariantCulture) && lines[7].Trim() == "ready";
    }
}
