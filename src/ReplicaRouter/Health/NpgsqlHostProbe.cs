using System.Globalization;
using Npgsql;

namespace ReplicaRouter;

/// <summary>Probes a host over a connection of its own, kept open, never from a pool that callers use.</summary>
internal sealed class NpgsqlHostProbe : IHostProbe
{
    /// <summary>Everything in one round trip, for any role with the right to log in, from PostgreSQL 10 on.</summary>
    /// <remarks>
    /// The timeline of a primary is read from the name of its WAL file: pg_control_checkpoint() shows the old one until the first
    /// checkpoint after a promotion. pg_walfile_name() fails on a standby, hence the CASE. The insert position is the only one that is
    /// at or after every acknowledged commit when synchronous_commit is off.
    /// Source: PostgreSQL manual, "System Administration Functions" and "pg_stat_wal_receiver".
    /// </remarks>
    private const string Question = """
        SELECT pg_is_in_recovery(),
               (SELECT system_identifier FROM pg_control_system()),
               CASE WHEN pg_is_in_recovery() THEN (SELECT max(received_tli) FROM pg_stat_wal_receiver)
                    ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END,
               CASE WHEN pg_is_in_recovery() THEN NULL ELSE (pg_current_wal_insert_lsn() - '0/0')::int8 END,
               (pg_last_wal_replay_lsn() - '0/0')::int8,
               (pg_last_wal_receive_lsn() - '0/0')::int8,
               (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::int8,
               current_setting('port')::int,
               pg_size_bytes(current_setting('wal_segment_size')),
               current_setting('wal_block_size')::int
        """;

    private readonly NpgsqlDataSource _dataSource;
    private NpgsqlConnection? _connection;

    public NpgsqlHostProbe(HostConfiguration host, TimeSpan timeout)
    {
        var seconds = Math.Max(1, Convert.ToInt32(Math.Ceiling(timeout.TotalSeconds), CultureInfo.InvariantCulture));
        var builder = new NpgsqlDataSourceBuilder(host.Connection.ConnectionString) { Name = $"{host.Name}/probe" };
        var settings = builder.ConnectionStringBuilder;
        settings.Pooling = false;
        settings.MinPoolSize = 0;
        settings.Timeout = seconds;
        settings.CommandTimeout = seconds;
        // A cancel request would be one more connection to a host that hangs, and would wait for it: break off instead.
        settings.CancellationTimeout = -1;
        settings.KeepAlive = 0;
        settings.Enlist = false;
        settings.Multiplexing = false;
        settings.ApplicationName = "ReplicaRouter probe";
        // Types are loaded by a large query at the first connection; the probe needs none of them.
        builder.ConfigureTypeLoading(types => types.EnableTypeLoading(false));
        _dataSource = builder.Build();
    }

    public async Task<HostAnswer> ProbeAsync(CancellationToken cancellationToken)
    {
        // Taken out while in use: a probe that is no longer waited for must not meet the next one on the same connection.
        if (Interlocked.Exchange(ref _connection, null) is { } kept)
        {
            try
            {
                return await AskAndKeepAsync(kept, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (FailureClassifier.Classify(e) is FailureKind.Unreachable or FailureKind.Terminated)
            {
                // One connection that was terminated is not a host that is down: a new login tells.
            }
        }

        var connection = await _dataSource.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        return await AskAndKeepAsync(connection, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _connection, null) is { } connection) await connection.DisposeAsync().ConfigureAwait(false);
        await _dataSource.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<HostAnswer> AskAndKeepAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var isKept = false;
        try
        {
            var answer = await AskAsync(connection, cancellationToken).ConfigureAwait(false);
            isKept = Interlocked.CompareExchange(ref _connection, connection, null) is null;
            return answer;
        }
        finally
        {
            if (!isKept) await connection.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static async Task<HostAnswer> AskAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var command = new NpgsqlCommand(Question, connection);
        await using var _ = command.ConfigureAwait(false);
        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var __ = reader.ConfigureAwait(false);
        await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        return new HostAnswer
        {
            IsInRecovery = reader.GetBoolean(0),
            SystemIdentifier = (ulong)reader.GetInt64(1),
            Timeline = reader.IsDBNull(2) ? null : reader.GetInt32(2),
            InsertLsn = Lsn(reader, 3) is { } insert ? WalPosition.EndOfRecord(insert, (uint)reader.GetInt64(8), (uint)reader.GetInt32(9)) : null,
            ReplayLsn = Lsn(reader, 4),
            ReceiveLsn = Lsn(reader, 5),
            StartedAt = reader.GetInt64(6),
            ServerPort = reader.GetInt32(7),
        };
    }

    private static ulong? Lsn(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : (ulong)reader.GetInt64(column);
}
