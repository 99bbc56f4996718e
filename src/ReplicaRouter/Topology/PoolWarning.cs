using Microsoft.Extensions.Logging;

namespace ReplicaRouter;

/// <summary>Says once for each host that the pools of all processes together may open more connections than its server allows.</summary>
/// <remarks>Default pools of one process fit PostgreSQL's default of 100 connections. How many processes there are, probes see on the server.</remarks>
internal sealed class PoolWarning(ILogger logger)
{
    private ulong _warned;

    public void Check(HostSnapshot host, HostPools pools)
    {
        if (host.Answer is not { MaxConnections: > 0 } answer || host.Role == HostRole.Unknown) return;
        var routes = pools.All.Select(pool => pool.Plan).Where(plan => host.Role == HostRole.Primary || plan.IsReadOnly);
        var most = routes.Sum(plan => DataSourceFactory.MaxPoolSize(plan, host.Configuration.Connection)) * answer.Probers;
        if (most <= answer.MaxConnections || (Interlocked.Or(ref _warned, host.Configuration.Bit) & host.Configuration.Bit) != 0) return;
        Log.PoolsExceedServer(logger, host.Name, most, answer.Probers, answer.MaxConnections);
    }
}
