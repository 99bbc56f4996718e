using Npgsql;

namespace ReplicaRouter.Benchmarks.Arms;

/// <summary>A common home-made solution: one data source for each replica, in turns.</summary>
internal sealed class RoundRobinArm(Reach reach) : IReadArm
{
    private readonly NpgsqlDataSource[] _sources = [.. reach.Replicas.Select(replica => NpgsqlDataSource.Create(reach.To(replica)))];
    private uint _next;

    public Task<T> ReadAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken ct) =>
        _sources[Interlocked.Increment(ref _next) % _sources.Length].RunAsync(work, ct);

    public async ValueTask DisposeAsync()
    {
        foreach (var source in _sources) await source.DisposeAsync();
    }
}
