using System.Data;
using Npgsql;

namespace ReplicaRouter.Execution;

/// <summary>Distinguishes work whose answer was lost from work that its server still runs, once a host that was cut off is back.</summary>
/// <remarks>
/// A new login can succeed while older connections stay silent: TCP retransmits lost data only after a pause as long as the outage, and a firewall that has forgotten a connection
/// blocks it forever. The server knows: an idle backend has answered already, or has never received the command.
/// Source: PostgreSQL manual, "pg_stat_activity". Every role sees its own backends.
/// </remarks>
internal sealed class LostAnswers(RouterConfiguration configuration, TopologyStore store, TimeProvider time)
{
    /// <summary>Time for answers in transit, and between two checks of a backend.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    private const string IsAtWork = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1 AND state = 'active')";

    /// <summary>The backend's transaction holds locks, and no client will end it.</summary>
    private const string Terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND usename = current_user AND state <> 'active'";

    /// <summary>Whether waiting for work is useless: another host is the primary, or the answer to its command was lost.</summary>
    public async Task<bool> IsLostAsync(HostPool pool, NpgsqlConnection connection, CommandFlow flow, WorkWatch watch, CancellationToken cancellationToken)
    {
        if (store.Current.Primary is { } primary && !primary.Configuration.IsSameMember(pool.Host)) return true;
        var (backend, idle) = (0, 0);
        while (!await watch.EndsWithinAsync(Pause, time, cancellationToken).ConfigureAwait(false) && !cancellationToken.IsCancellationRequested)
        {
            // Between two commands the work waits for no answer; a lost connection shows at the next command.
            var commands = flow.Commands;
            if (!IsWaiting(connection)) return false;
            backend = connection.ProcessID;
            var isAtWork = await AskAsync(pool.Host, IsAtWork, backend, cancellationToken).ConfigureAwait(false);
            if (isAtWork is not false || !IsWaiting(connection) || commands != flow.Commands) idle = 0;
            else if (++idle == 2) break;
        }

        if (idle < 2 || watch.HasEnded) return false;
        await AskAsync(pool.Host, Terminate, backend, cancellationToken).ConfigureAwait(false);
        if (watch.HasEnded) return false;
        // Without a cancel request, which would wait for the silent connection.
        ConnectionSocket.Of(connection)?.Dispose();
        return true;
    }

    private static bool IsWaiting(NpgsqlConnection connection) => (connection.FullState & (ConnectionState.Executing | ConnectionState.Fetching)) != 0;

    /// <returns>Null if the host does not answer.</returns>
    private async Task<bool?> AskAsync(HostConfiguration host, string question, int backend, CancellationToken cancellationToken)
    {
        try
        {
            using var timeout = new CancellationTokenSource(Timeout, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
            var dataSource = Credentials.Unpooled(host, configuration.Login).Build();
            await using var _ = dataSource.ConfigureAwait(false);
            var command = dataSource.CreateCommand(question);
            await using var __ = command.ConfigureAwait(false);
            command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = backend });
            return await command.ExecuteScalarAsync(either.Token).ConfigureAwait(false) as bool?;
        }
        catch (Exception e) when (e is NpgsqlException or OperationCanceledException or InvalidOperationException)
        {
            return null;
        }
    }
}
