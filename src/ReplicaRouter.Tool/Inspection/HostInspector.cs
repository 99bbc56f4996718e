using System.Collections.Immutable;
using Npgsql;

namespace ReplicaRouter.Tool.Inspection;

/// <summary>Queries one server for the facts that the checks need, over a separate connection. Changes nothing.</summary>
internal sealed class HostInspector(HostConfiguration host, TimeProvider time)
{
    /// <summary>Time-out of a login or a query, in seconds.</summary>
    private const int Timeout = 5;

    private const int Samples = 5;

    private const string SlotsSql = """
        SELECT slot_name, active, wal_status,
               (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END - restart_lsn)::int8
        FROM pg_replication_slots
        """;

    private const string RoleSql =
        "SELECT rolname::text, rolsuper, pg_has_role(oid, 'pg_read_all_stats', 'USAGE') FROM pg_roles WHERE rolname = current_user";

    // Every role can see these sums; only members of pg_read_all_stats can see the sessions themselves.
    private const string ConnectionsSql = "SELECT coalesce(sum(numbackends), 0)::int FROM pg_stat_database";
    private const string PausedSql = "SELECT CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() ELSE false END";

    private readonly string _connectionString = new NpgsqlConnectionStringBuilder(host.Connection.ConnectionString)
    {
        Pooling = false,
        MinPoolSize = 0,
        Timeout = Timeout,
        CommandTimeout = Timeout,
        MaxAutoPrepare = 0,
        Enlist = false,
        ApplicationName = "replica-router",
    }.ConnectionString;

    /// <returns>What the server reported, or why it could not be queried.</returns>
    public async Task<(ServerFacts? Server, HostFailure? Failure)> InspectAsync(CancellationToken ct)
    {
        try
        {
            await using var connection = await OpenAsync(ct);
            return (await InspectAsync(connection, ct), null);
        }
        catch (Exception e) when (!ct.IsCancellationRequested && e is NpgsqlException or TimeoutException or IOException or OperationCanceledException)
        {
            return (null, FailureClassifier.Describe(e, host));
        }
    }

    /// <summary>Returns the connections in use and allowed, and the shortest of a few round trips in ms; null if the server could not be queried.</summary>
    public async Task<(int Connections, int MaxConnections, double LatencyMs)?> MeasureAsync(CancellationToken ct)
    {
        try
        {
            await using var connection = await OpenAsync(ct);
            var (used, allowed) = await connection.AskAsync($"SELECT ({ConnectionsSql}), current_setting('max_connections')::int", row => (row.GetInt32(0), row.GetInt32(1)), ct);
            return (used, allowed, (2 * (await AskClockAsync(connection, ct)).Error).TotalMilliseconds);
        }
        catch (Exception e) when (!ct.IsCancellationRequested && e is NpgsqlException or TimeoutException or IOException or OperationCanceledException)
        {
            return null;
        }
    }

    private async Task<NpgsqlConnection> OpenAsync(CancellationToken ct)
    {
        var connection = new NpgsqlConnection(_connectionString);
        try
        {
            await connection.OpenAsync(ct);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private async Task<ServerFacts> InspectAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var clock = await AskClockAsync(connection, ct);
        return new ServerFacts
        {
            Answer = await HostQuestion.AskAsync(connection, time.GetTimestamp(), Timeout, async: true, ct),
            Settings = (await connection.ListAsync("SELECT name, setting FROM pg_settings WHERE setting IS NOT NULL", row => (row.GetString(0), row.GetString(1)), ct)).ToDictionary(),
            LatencyMs = (2 * clock.Error).TotalMilliseconds,
            Connections = await connection.AskAsync(ConnectionsSql, row => row.GetInt32(0), ct),
            Role = await connection.AskAsync(RoleSql, row => new RoleFacts(row.GetString(0), row.GetBoolean(1), row.GetBoolean(2)), ct),
            Slots = [.. await connection.ListAsync(SlotsSql, ReadSlot, ct)],
            IsReplayPaused = await connection.AskAsync(PausedSql, row => row.GetBoolean(0), ct),
            ClockOffset = clock.Offset,
            ClockError = clock.Error,
            Pooler = await new PoolerProbe(OpenAsync).FindAsync(connection, ct),
        };
    }

    private static SlotFacts ReadSlot(NpgsqlDataReader row) => new(
        row.GetString(0), row.GetBoolean(1), row.IsDBNull(3) ? null : row.GetInt64(3), row.IsDBNull(2) ? null : row.GetString(2));

    /// <summary>Uses the sample with the shortest round trip of a few: the server read its clock within it, so its error is the smallest.</summary>
    private async Task<(TimeSpan Offset, TimeSpan Error)> AskClockAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var best = (Offset: TimeSpan.Zero, Error: TimeSpan.MaxValue);
        for (var i = 0; i < Samples; i++)
        {
            var (before, start) = (time.GetUtcNow(), time.GetTimestamp());
            var server = await connection.AskAsync("SELECT clock_timestamp()", row => row.GetFieldValue<DateTimeOffset>(0), ct);
            var error = time.GetElapsedTime(start) / 2;
            if (error < best.Error) best = (server - before - error, error);
        }

        return best;
    }
}
