using Npgsql;

namespace ReplicaRouter.Benchmarks.Faults;

/// <summary>Npgsql's multi-host data source over all servers: reads prefer standbys, writes need the primary.</summary>
internal sealed class MultiHostArm : IArm
{
    private readonly NpgsqlMultiHostDataSource _hosts;
    private readonly NpgsqlDataSource _reads;
    private readonly NpgsqlDataSource _writes;

    public MultiHostArm(Stand stand, Action<NpgsqlConnectionStringBuilder>? tune = null)
    {
        var settings = new NpgsqlConnectionStringBuilder(stand.Cluster.Primary.ConnectionString)
        {
            Host = string.Join(',', stand.Cluster.Servers.Select(server => $"127.0.0.1:{stand.PortOf(server)}")),
            LoadBalanceHosts = true,
        };
        tune?.Invoke(settings);
        _hosts = new NpgsqlDataSourceBuilder(settings.ConnectionString).BuildMultiHost();
        _reads = _hosts.WithTargetSession(TargetSessionAttributes.PreferStandby);
        _writes = _hosts.WithTargetSession(TargetSessionAttributes.Primary);
    }

    public async Task<T> RunAsync<T>(bool isWrite, Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken ct)
    {
        await using var connection = await (isWrite ? _writes : _reads).OpenConnectionAsync(ct);
        return await work(connection, ct);
    }

    public ValueTask DisposeAsync() => _hosts.DisposeAsync();
}
