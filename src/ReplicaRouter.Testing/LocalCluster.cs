using System.Security.Cryptography;
using Npgsql;
using ReplicaRouter.Testing.Cluster;
using ReplicaRouter.Testing.Processes;

namespace ReplicaRouter.Testing;

/// <summary>A real PostgreSQL cluster on this machine: a primary and streaming replicas on free ports of 127.0.0.1. Nothing of it
/// is left after it is disposed, or the process that started it is killed. A cluster with a <see cref="LocalClusterOptions.Folder"/>
/// outlives both.</summary>
/// <remarks>Linux only. Several clusters can run at once; changes to one cluster must be made one at a time.</remarks>
public sealed class LocalCluster : IAsyncDisposable
{
    internal const string PrimaryName = "primary";
    private readonly ClusterSetup _setup;
    private Guard? _guard;
    private volatile LocalServer[] _servers = [];

    private LocalCluster(ClusterSetup setup, Guard guard)
    {
        (_setup, _guard) = (setup, guard);
        var port = setup.Options.PrimaryPort is { } wanted ? LoopbackPort.Exactly(wanted) : LoopbackPort.Any();
        Primary = new(this, setup, PrimaryName, port);
        _servers = [Primary];
    }

    private LocalCluster(ClusterSetup setup, ClusterState state)
    {
        _setup = setup;
        _servers = [.. state.Servers.Select(server => new LocalServer(this, setup, server.Name, LoopbackPort.Known(server.Port)) { IsSynchronous = server.IsSynchronous })];
        foreach (var server in state.Servers) this[server.Name].TakeUp(server.Upstream is { } upstream ? this[upstream] : null);
        Primary = this[state.Primary];
    }

    /// <summary>The current primary: the server promoted last.</summary>
    public LocalServer Primary { get; private set; }

    /// <summary>All servers, the first primary before its replicas.</summary>
    public IReadOnlyList<LocalServer> Servers => _servers;

    /// <summary>The server of this name.</summary>
    /// <exception cref="KeyNotFoundException">There is no server of this name.</exception>
    public LocalServer this[string name] => Array.Find(_servers, server => server.Name == name)
        ?? throw new KeyNotFoundException($"There is no server '{name}'. The servers are: {string.Join(", ", _servers.Select(server => server.Name))}.");

    /// <summary>The router's environment variables: <c>DATABASE_URL</c> for <c>primary</c>, <c>DATABASE_READ_REPLICA_1_URL</c> for <c>analytics</c>,
    /// <c>_2_</c> for <c>background</c>, <c>_DR_</c> for <c>dr</c>, <c>_N_</c> for <c>replica-N</c> from 3 on. Other names have none.</summary>
    public IReadOnlyDictionary<string, string> EnvironmentVariables => EnvironmentNames.Of(_servers);

    /// <summary>Starts a cluster and waits until every server accepts connections.</summary>
    /// <param name="options">Default: a primary and the replicas <c>analytics</c>, <c>background</c> and <c>dr</c>.</param>
    /// <param name="cancellationToken">Cancels the start, and removes what was started.</param>
    /// <exception cref="ArgumentException">The options are not valid.</exception>
    /// <exception cref="LocalClusterException">PostgreSQL was not found or did not start: no binaries, port taken, disk full, bad setting, too slow.</exception>
    public static async Task<LocalCluster> StartAsync(LocalClusterOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new();
        OptionsCheck.Check(options);
        if (options.Folder is { } known && ClusterState.IsIn(known)) return await ResumeAsync(known, cancellationToken).ConfigureAwait(false);
        var account = ServerAccount.Resolve();
        var binaries = await PostgresBinaries.FindAsync(options, account, cancellationToken).ConfigureAwait(false);
        var folder = options.Folder is { } wanted ? DataDirectory.CreateEmpty(wanted) : Directory.CreateTempSubdirectory("replicarouter-").FullName;
        account.LetIn(folder);
        var setup = new ClusterSetup(options, account, binaries, folder, RandomNumberGenerator.GetHexString(32, lowercase: true));
        var guard = Guard.Over(folder, account);
        LocalCluster? cluster = null;
        try
        {
            cluster = new(setup, guard);
            await Wait.WithinAsync(cluster.StartServersAsync, setup.Timeout, cluster.DescribeLateStart, cancellationToken).ConfigureAwait(false);
            if (options.Folder is not null) await cluster.KeepAsync(guard).ConfigureAwait(false);
            return cluster;
        }
        catch (Exception failed)
        {
            await (cluster?.DisposeAsync().AsTask() ?? guard.ReleaseAsync()).ConfigureAwait(false);
            if (failed is IOException or NpgsqlException) throw setup.Failure($"The cluster could not be started: {failed.Message}", "", failed);
            throw;
        }
    }

    /// <summary>Opens a cluster that outlived its process, as it is: servers that are down stay down.</summary>
    /// <param name="folder">The cluster's <see cref="LocalClusterOptions.Folder"/>.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="LocalClusterException">The folder contains no cluster, or its version of PostgreSQL is no longer installed.</exception>
    public static async Task<LocalCluster> OpenAsync(string folder, CancellationToken cancellationToken = default)
    {
        folder = Path.GetFullPath(folder);
        ServerAccount.CheckOwn(folder);
        var state = ClusterState.Load(folder);
        var options = new LocalClusterOptions
        {
            Folder = folder,
            BinDirectory = state.BinDirectory,
            Database = state.Database,
            User = state.User,
            Password = state.Password,
        };
        foreach (var (name, value) in state.Settings) options.Settings[name] = value;
        var account = ServerAccount.Resolve();
        var binaries = await PostgresBinaries.FindAsync(options, account, cancellationToken).ConfigureAwait(false);
        return new(new ClusterSetup(options, account, binaries, folder, state.SuperuserPassword), state);
    }

    /// <summary>Shuts all servers down, the primary last. Their files stay.</summary>
    public async Task StopAsync(CancellationToken cancellationToken = default)
    {
        await Task.WhenAll(_servers.Where(server => server != Primary).Select(server => server.StopAsync(cancellationToken: cancellationToken))).ConfigureAwait(false);
        await Primary.StopAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Kills all servers and removes the folder.</summary>
    public async Task DeleteAsync(CancellationToken cancellationToken = default)
    {
        foreach (var server in _servers)
        {
            await server.KillAsync(cancellationToken).ConfigureAwait(false);
            await DataDirectory.RemoveAsync(_setup, server.DataDirectory, cancellationToken).ConfigureAwait(false);
        }

        await DataDirectory.RemoveFolderAsync(_setup.Folder, cancellationToken).ConfigureAwait(false);
        await DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Adds and starts a replica, copied from the primary.</summary>
    /// <exception cref="ArgumentException">The name is taken or not valid, or the upstream is unknown.</exception>
    public async Task<LocalServer> AddReplicaAsync(LocalReplicaOptions replica, CancellationToken cancellationToken = default)
    {
        OptionsCheck.CheckReplica(replica, [.. _servers.Select(server => server.Name)]);
        var server = Add(replica);
        await server.CloneAsync(Primary, UpstreamOf(replica), cancellationToken).ConfigureAwait(false);
        ApplySynchronousNames();
        Save();
        return server;
    }

    /// <summary>Kills a server that is not the primary, and removes its files.</summary>
    /// <exception cref="InvalidOperationException">The server is the primary, or another server streams from it.</exception>
    public async Task RemoveReplicaAsync(string name, CancellationToken cancellationToken = default)
    {
        var server = this[name];
        if (server == Primary) throw new InvalidOperationException($"Server '{name}' is the primary.");
        if (Array.Find(_servers, other => other.Upstream == server) is { } downstream)
            throw new InvalidOperationException($"Server '{downstream.Name}' streams from '{name}'.");
        _servers = [.. _servers.Where(other => other != server)];
        ApplySynchronousNames();
        await server.KillAsync(cancellationToken).ConfigureAwait(false);
        await DataDirectory.RemoveAsync(_setup, server.DataDirectory, cancellationToken).ConfigureAwait(false);
        server.Release();
        Save();
    }

    /// <summary>Promotes a standby, and waits until it accepts writes. Does not stop the old primary.</summary>
    /// <param name="name">The standby.</param>
    /// <param name="repointOthers">Whether the old primary's standbys follow the new one. A standby that is ahead of it is replaced by a fresh copy.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    public async Task PromoteAsync(string name, bool repointOthers = true, CancellationToken cancellationToken = default)
    {
        var (former, promoted) = (Primary, this[name]);
        if (promoted.Upstream is null) throw new InvalidOperationException($"Server '{name}' is not a standby.");
        await promoted.LeaveRecoveryAsync(cancellationToken).ConfigureAwait(false);
        Primary = promoted;
        Save();
        if (repointOthers)
        {
            var fork = await promoted.QueryAsync<NpgsqlTypes.NpgsqlLogSequenceNumber>("SELECT pg_last_wal_replay_lsn()", cancellationToken).ConfigureAwait(false);
            foreach (var other in _servers.Where(other => other.Upstream == former))
                await Replication.RepointAsync(other, promoted, fork, cancellationToken).ConfigureAwait(false);
        }
        ApplySynchronousNames();
        Save();
    }

    /// <summary>Replaces a server by a fresh standby of the primary. Writes that only the old server had are lost.</summary>
    /// <exception cref="InvalidOperationException">The server is the primary.</exception>
    public async Task RejoinAsync(string name, CancellationToken cancellationToken = default)
    {
        var server = this[name];
        if (server == Primary) throw new InvalidOperationException($"Server '{name}' is the primary.");
        await server.CloneAsync(Primary, Primary, cancellationToken).ConfigureAwait(false);
        ApplySynchronousNames();
        Save();
    }

    /// <summary>Waits until every running standby has replayed what the primary has written by now.</summary>
    /// <exception cref="LocalClusterException">A standby did not replay in time: it is paused, delayed, cut off or suspended. The message names it.</exception>
    public Task WaitForReplicationAsync(CancellationToken cancellationToken = default) =>
        Replication.WaitAsync(Primary, [.. _servers.Where(server => server is { Upstream: not null, IsRunning: true })], _setup.Timeout, cancellationToken);

    /// <summary>Kills every process of the cluster and removes its folder. A cluster with a <see cref="LocalClusterOptions.Folder"/> keeps running.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_guard is { } guard) await guard.ReleaseAsync().ConfigureAwait(false);
        foreach (var server in Interlocked.Exchange(ref _servers, [])) server.Release();
    }

    private static async Task<LocalCluster> ResumeAsync(string folder, CancellationToken cancellationToken)
    {
        var cluster = await OpenAsync(folder, cancellationToken).ConfigureAwait(false);
        await cluster.Primary.StartAsync(cancellationToken).ConfigureAwait(false);
        // A former primary would start as a second primary, so it rejoins as a standby.
        await Task.WhenAll(cluster._servers.Where(server => server != cluster.Primary && !server.IsRunning)
            .Select(server => server.Upstream is null ? cluster.RejoinAsync(server.Name, cancellationToken) : server.StartAsync(cancellationToken))).ConfigureAwait(false);
        return cluster;
    }

    private async Task KeepAsync(Guard guard)
    {
        Save();
        await guard.KeepAsync().ConfigureAwait(false);
        _guard = null;
    }

    private void Save()
    {
        if (_setup.Options.Folder is null) return;
        new ClusterState(_setup.Binaries.Folder, _setup.Options.Database, _setup.Options.User, _setup.Options.Password, _setup.SuperuserPassword,
            new Dictionary<string, string>(_setup.Options.Settings), Primary.Name,
            [.. _servers.Select(server => new ServerState(server.Name, server.Port, server.Upstream?.Name, server.IsSynchronous))]).Save(_setup.Folder);
    }

    private async Task StartServersAsync(CancellationToken cancellationToken)
    {
        await DataDirectory.InitializeAsync(_setup, Primary.DataDirectory, cancellationToken).ConfigureAwait(false);
        await Primary.StartAsync(cancellationToken).ConfigureAwait(false);
        await CreateDatabaseAsync(cancellationToken).ConfigureAwait(false);

        // The options list upstreams before their replicas. Start together all replicas whose upstream runs.
        foreach (var replica in _setup.Options.Replicas) Add(replica);
        for (var left = _setup.Options.Replicas.ToList(); left.Count > 0;)
        {
            var next = left.Where(replica => UpstreamOf(replica).IsRunning).ToList();
            await Task.WhenAll(next.Select(replica => this[replica.Name].CloneAsync(Primary, UpstreamOf(replica), cancellationToken))).ConfigureAwait(false);
            left.RemoveAll(next.Contains);
        }
        ApplySynchronousNames();
    }

    private async Task CreateDatabaseAsync(CancellationToken cancellationToken)
    {
        var (user, database, password) = (Name(_setup.Options.User), Name(_setup.Options.Database), _setup.Options.Password.Replace("'", "''", StringComparison.Ordinal));
        await Primary.QueryAsync<object>($"CREATE ROLE {user} LOGIN PASSWORD '{password}'", cancellationToken).ConfigureAwait(false);
        await Primary.QueryAsync<object>($"CREATE DATABASE {database} OWNER {user}", cancellationToken).ConfigureAwait(false);
        static string Name(string name) => '"' + name.Replace("\"", "\"\"", StringComparison.Ordinal) + '"';
    }

    private LocalServer Add(LocalReplicaOptions replica)
    {
        var server = new LocalServer(this, _setup, replica.Name, LoopbackPort.Any()) { IsSynchronous = replica.IsSynchronous };
        _servers = [.. _servers, server];
        return server;
    }

    private LocalServer UpstreamOf(LocalReplicaOptions replica) => replica.Upstream is { } name ? this[name] : Primary;

    private void ApplySynchronousNames() =>
        Primary.WaitForStandbys([.. _servers.Where(server => server.IsSynchronous && server.Upstream == Primary).Select(server => server.Name)]);

    private string DescribeLateStart() => _setup.Failure(
        $"The cluster was not ready within {_setup.Timeout.TotalSeconds:0.###} s (StartTimeout).", _servers.LastOrDefault(server => server.Log.Length > 0)?.Log ?? "").Message;
}
