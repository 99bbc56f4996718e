using Npgsql;
using ReplicaRouter.Checks.Proxies;

namespace ReplicaRouter.Benchmarks.Arms;

/// <summary>A plain data source for a proxy, which balances the reads over the servers behind it.</summary>
internal sealed class ProxyArm : IReadArm
{
    private readonly ProxyServer _proxy;
    private readonly SingleHostArm _arm;

    private ProxyArm(ProxyServer proxy, string connectionString) => (_proxy, _arm) = (proxy, new(connectionString));

    /// <summary>The working folder of the proxy's processes.</summary>
    public string Folder => _proxy.Folder;

    /// <param name="kind">The proxy.</param>
    /// <param name="reach">The servers behind it.</param>
    /// <param name="tune">Adjusts the settings that all arms share.</param>
    /// <param name="ct">Cancels the start.</param>
    public static async Task<IReadArm> StartAsync(IProxyKind kind, Reach reach, Action<NpgsqlConnectionStringBuilder> tune, CancellationToken ct)
    {
        var proxy = await ProxyServer.StartAsync(kind, reach.Replicas[0], ct);
        var settings = new NpgsqlConnectionStringBuilder(reach.To(reach.Replicas[0])) { Port = proxy.Port };
        tune(settings);
        return new ProxyArm(proxy, settings.ConnectionString);
    }

    public Task<T> ReadAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken ct) => _arm.ReadAsync(work, ct);

    public async ValueTask DisposeAsync()
    {
        await _arm.DisposeAsync();
        await _proxy.DisposeAsync();
    }
}
