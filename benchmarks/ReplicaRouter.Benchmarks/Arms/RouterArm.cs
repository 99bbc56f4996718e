using Npgsql;

namespace ReplicaRouter.Benchmarks.Arms;

/// <summary>The router runs the work (<c>ExecuteAsync</c>), with its defaults unless configured.</summary>
internal sealed class RouterArm : IArm
{
    private readonly DatabaseRouter _router;

    public RouterArm(Reach reach, Action<DatabaseRouterOptions>? configure = null)
    {
        var options = reach.RouterOptions();
        configure?.Invoke(options);
        _router = DatabaseRouter.Create(options);
    }

    public Task<T> ReadAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken ct) =>
        _router.ExecuteAsync(DatabaseOperation.Read, work, ct);

    public Task<T> WriteAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken ct) =>
        _router.ExecuteAsync(DatabaseOperation.Write, work, ct);

    public ValueTask DisposeAsync() => _router.DisposeAsync();
}
