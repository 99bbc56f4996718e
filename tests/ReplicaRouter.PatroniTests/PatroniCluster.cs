using Dapper;
using Npgsql;
using ReplicaRouter.Testing;
using ReplicaRouter.Testing.Processes;

namespace ReplicaRouter.PatroniTests;

/// <summary>A real Patroni cluster on this machine: one etcd and three nodes on free ports of 127.0.0.1. Disposal removes everything, and so does the death of the
/// process that started it.</summary>
internal sealed class PatroniCluster : IAsyncDisposable
{
    private static readonly string[] s_names = ["primary", "replica-3", "replica-4"];
    private static readonly TimeSpan s_startLimit = TimeSpan.FromSeconds(90);
    private readonly PatroniSetup _setup;
    private readonly Guard _guard;
    private readonly EtcdServer _etcd;
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(5) };

    private PatroniCluster(PatroniSetup setup, EtcdServer etcd)
    {
        (_setup, _etcd) = (setup, etcd);
        _guard = Guard.Over(setup.Folder, setup.Account);
        Nodes = [.. s_names.Select(name => new PatroniNode(setup, name))];
    }

    internal IReadOnlyList<PatroniNode> Nodes { get; }

    /// <summary>Starts a cluster, and waits until its leader has two streaming replicas that the application can log in to.</summary>
    /// <exception cref="LocalClusterException">The cluster did not start. The message has the last lines of the logs.</exception>
    internal static async Task<PatroniCluster> StartAsync(CancellationToken ct)
    {
        var etcd = EtcdServer.OnFreePorts();
        var cluster = new PatroniCluster(PatroniSetup.Create(etcd.Port), etcd);
        try
        {
            await cluster.StartAllAsync(ct);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits until Patroni reports a leader, and returns it.</summary>
    internal async Task<PatroniNode> LeaderAsync(CancellationToken ct)
    {
        string? leader = null;
        await UntilAsync(async bound => (leader = await PatroniApi.FindLeaderAsync(_http, Nodes, bound)) is not null, "Patroni reports no leader.", ct);
        return Nodes.Single(node => node.Name == leader);
    }

    /// <summary>Waits until two replicas stream from the leader.</summary>
    internal async Task WaitForStreamingAsync(CancellationToken ct)
    {
        var leader = await LeaderAsync(ct);
        await UntilAsync(_ => HasStreamingReplicasAsync(leader), $"'{leader.Name}' does not have two streaming replicas.", ct);
    }

    /// <summary>Switches the leader over to another node.</summary>
    internal async Task SwitchOverAsync(PatroniNode candidate, CancellationToken ct)
    {
        string[] arguments = ["-c", candidate.ConfigurationFile, "switchover", "--force", "--candidate", candidate.Name, PatroniSetup.Scope];
        var (exitCode, output) = await Command.RunAsync(_setup.Account.Run("patronictl", arguments, _setup.Folder), ct);
        if (exitCode != 0 || !output.Contains("Successfully switched over", StringComparison.Ordinal))
            throw Failure($"The switchover to '{candidate.Name}' failed:\n{output}");
    }

    public async ValueTask DisposeAsync()
    {
        await _guard.ReleaseAsync();
        _guard.Dispose();
        foreach (var node in Nodes) node.Dispose();
        _etcd.Dispose();
        _http.Dispose();
    }

    private async Task StartAllAsync(CancellationToken ct)
    {
        _etcd.Start(_setup);
        await UntilAsync(bound => _etcd.IsHealthyAsync(_http, bound), "etcd did not start.", ct);
        foreach (var node in Nodes) node.Start();
        await WaitForStreamingAsync(ct);
        await CreateAppAsync(await LeaderAsync(ct));
        foreach (var node in Nodes) await UntilAsync(_ => CanLogInAsync(node), $"The application cannot log in to '{node.Name}'.", ct);
    }

    private async Task CreateAppAsync(PatroniNode leader)
    {
        await using var connection = new NpgsqlConnection(leader.SuperuserConnectionString);
        await connection.ExecuteAsync($"CREATE ROLE {PatroniSetup.App} LOGIN PASSWORD '{_setup.Password}'; GRANT pg_monitor TO {PatroniSetup.App}");
        await connection.ExecuteAsync($"CREATE DATABASE {PatroniSetup.App} OWNER {PatroniSetup.App}", commandTimeout: 30);
    }

    private static async Task<bool> HasStreamingReplicasAsync(PatroniNode leader)
    {
        try
        {
            await using var connection = new NpgsqlConnection(leader.SuperuserConnectionString);
            return await connection.ExecuteScalarAsync<int>("SELECT count(*)::int FROM pg_stat_replication WHERE state = 'streaming'") == 2;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }

    private static async Task<bool> CanLogInAsync(PatroniNode node)
    {
        try
        {
            await using var connection = new NpgsqlConnection(node.ConnectionString + ";Pooling=false");
            await connection.OpenAsync();
            return true;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }

    private Task UntilAsync(Func<CancellationToken, Task<bool>> condition, string complaint, CancellationToken ct) =>
        Wait.UntilAsync(bound => HasFailed ? throw Failure($"{complaint} A program has ended.") : condition(bound), s_startLimit, () => Failure(complaint).Message, ct);

    private bool HasFailed => _etcd.HasFailed || Nodes.Any(node => node.HasFailed);

    private LocalClusterException Failure(string what) => new($"{what} Last lines of the logs:\n{_setup.LogEnds()}");
}
