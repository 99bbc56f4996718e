using Npgsql;
using ReplicaRouter.Checks;

namespace ReplicaRouter.Benchmarks.Faults;

/// <summary>The router with its defaults, but for what a scenario asks of it.</summary>
internal sealed class RouterArm : IArm
{
    private readonly DatabaseRouter _router;

    public RouterArm(Stand stand, Scenario scenario)
    {
        var options = stand.Cluster.RouterOptions();
        foreach (var server in stand.Cluster.Servers)
        {
            options.Hosts[server.Name].ConnectionString = server.Url.Replace($":{server.Port}/", $":{stand.PortOf(server)}/", StringComparison.Ordinal);
        }

        scenario.Configure(options);
        _router = DatabaseRouter.Create(options);
    }

    public Task<T> RunAsync<T>(bool isWrite, Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken ct) =>
        _router.ExecuteAsync(isWrite ? DatabaseOperation.Write : DatabaseOperation.Read, work, ct);

    public ValueTask DisposeAsync() => _router.DisposeAsync();
}
