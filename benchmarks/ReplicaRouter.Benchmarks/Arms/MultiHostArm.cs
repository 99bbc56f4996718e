using Npgsql;

namespace ReplicaRouter.Benchmarks.Arms;

/// <summary>Npgsql's multi-host data source over all servers: reads prefer standbys, writes need the primary.</summary>
internal sealed class MultiHostArm : IArm
{
    private readonly NpgsqlMultiHostDataSource _hosts;
    private readonly NpgsqlDataSource _reads;
    private readonly NpgsqlDataSource _writes;

    public MultiHostArm(Reach reach, Action<NpgsqlConnectionStringBuilder>? tune = null)
    {
        var settings = reach.ToAll();
        tune?.Invoke(settings);
        _hosts = new NpgsqlDataSourceBuilder(settings.ConnectionString).BuildMultiHost();
        _reads = _hosts.WithTargetSession(TargetSessionAttributes.PreferStandby);
        _writes = _hosts.WithTargetSession(TargetSessionAttributes.Primary);
    }

    public Task<T> ReadAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken ct) => _reads.RunAsync(work, ct);

    public Task<T> WriteAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken ct) => _writes.RunAsync(work, ct);

    public ValueTask DisposeAsync() => _hosts.DisposeAsync();
}
