using Microsoft.Extensions.Logging;
using Npgsql;

namespace ReplicaRouter.Management;

/// <summary>Cuts connections that callers do not return, by having the server terminate their backends: a connection in use can't be closed under its user.</summary>
/// <remarks>Source: PostgreSQL manual, "Server Signaling Functions": every role may terminate its own backends.</remarks>
internal sealed class ConnectionCutter(RouterConfiguration configuration, CommandListener listener, TimeProvider time, ILogger logger)
{
    /// <summary>The conditions select only backends that are still ours: another process can have reused the process id.</summary>
    private const string Terminate =
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid = ANY($1) AND usename = current_user AND application_name = $2 AND pid <> pg_backend_pid()";

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    /// <summary>Cuts the connections in use of several data sources. Spends up to 5 s on each.</summary>
    /// <returns>How many were in use, and how many of those were cut.</returns>
    public async Task<(int InUse, long Cut)> CutAsync(string host, IReadOnlyList<HostDataSource> sources, CancellationToken stop)
    {
        var (inUse, cut) = (listener.CountInUse(sources), 0L);
        foreach (var source in sources.Where(source => source.Busy > 0))
        {
            using var timeout = new CancellationTokenSource(Timeout, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, timeout.Token);
            try
            {
                cut += await CutAsync(source, either.Token).WaitAsync(either.Token).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                if (stop.IsCancellationRequested) break;
                // The server can be gone, and its connections with it.
                Log.CutFailed(logger, host, e);
            }
        }

        return (inUse, cut);
    }

    private async Task<long> CutAsync(HostDataSource source, CancellationToken cancellationToken)
    {
        int[] backends = [.. source.Logins.Backends];
        if (backends.Length == 0) return 0;
        var application = new NpgsqlConnectionStringBuilder(source.Value.ConnectionString).ApplicationName!;
        // Not from the pool that is being cut: all of its connections can be in use. With the host's current configuration: an old password no longer works.
        var dataSource = Credentials.Unpooled(source.Pool.Host, configuration.Login).Build();
        await using var _ = dataSource.ConfigureAwait(false);
        var command = dataSource.CreateCommand(Terminate);
        await using var __ = command.ConfigureAwait(false);
        command.Parameters.Add(new NpgsqlParameter<int[]> { TypedValue = backends });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = application });
        return (long)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
    }
}
