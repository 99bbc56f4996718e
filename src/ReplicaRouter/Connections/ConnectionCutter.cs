using Npgsql;

namespace ReplicaRouter;

/// <summary>Ends connections that nobody returns, by having their server end them: a connection that is in use can't be closed under its user.</summary>
/// <remarks>Source: PostgreSQL manual, "Server Signaling Functions": every role may terminate its own backends.</remarks>
internal static class ConnectionCutter
{
    /// <summary>Only backends that are still ours: a process id may have come to another one since.</summary>
    private const string Terminate =
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid = ANY($1) AND usename = current_user AND application_name = $2 AND pid <> pg_backend_pid()";

    /// <returns>How many were ended.</returns>
    public static async Task<long> CutAsync(
        HostDataSource source, Func<PasswordRequest, CancellationToken, ValueTask<string>>? passwordProvider, CancellationToken cancellationToken)
    {
        int[] backends = [.. source.Logins.Backends];
        if (backends.Length == 0) return 0;
        var application = new NpgsqlConnectionStringBuilder(source.Value.ConnectionString).ApplicationName!;
        // Not from the pool that is to be cut: all of its connections may be in use. And as the host is configured now: a former password is no longer good.
        var dataSource = Credentials.Unpooled(source.Pool.Host, passwordProvider).Build();
        await using var _ = dataSource.ConfigureAwait(false);
        var command = dataSource.CreateCommand(Terminate);
        await using var __ = command.ConfigureAwait(false);
        command.Parameters.Add(new NpgsqlParameter<int[]> { TypedValue = backends });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = application });
        return (long)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
    }
}
