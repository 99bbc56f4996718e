using System.Data.Common;

namespace ReplicaRouter;

/// <summary>What a primary says of itself around a COMMIT. The default says nothing.</summary>
/// <param name="Position">The end of WAL that was inserted, or a little more.</param>
/// <param name="RecoveryEnd">Where its last recovery ended, be it a crash's or the one before its promotion; null where there was none since its start.</param>
/// <param name="Run">In which run of the server that was.</param>
internal readonly record struct PrimaryFacts(WalPosition Position, ulong? RecoveryEnd, ServerRun Run)
{
    /// <summary>The columns that tell, for any role.</summary>
    /// <remarks>
    /// When one backend crashes, the server recovers without a new start, so that the time of its start proves nothing. But a crash always
    /// throws the statistics away. Source: PostgreSQL, src/backend/access/transam/xlog.c, StartupXLOG; that somebody reset the statistics looks the same.
    /// </remarks>
    public const string Columns = """
        ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int,
        (pg_current_wal_insert_lsn() - '0/0')::int8,
        (pg_last_wal_replay_lsn() - '0/0')::int8,
        (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::int8,
        (extract(epoch FROM pg_stat_get_bgwriter_stat_reset_time()) * 1000000)::int8
        """;

    /// <param name="reader">On a row that begins with <see cref="Columns"/>.</param>
    /// <param name="systemIdentifier">The cluster.</param>
    public static PrimaryFacts Read(DbDataReader reader, ulong systemIdentifier) => new(
        new WalPosition(systemIdentifier, reader.GetInt32(0), (ulong)reader.GetInt64(1)),
        reader.IsDBNull(2) ? null : (ulong)reader.GetInt64(2),
        reader.IsDBNull(4) ? default : new ServerRun(reader.GetInt64(3), reader.GetInt64(4)));
}

/// <summary>The time in which a server neither stopped nor crashed. The default is no known one.</summary>
/// <param name="StartedAt">When the postmaster started, in microseconds since 1970.</param>
/// <param name="CountsSince">Since when it has statistics, likewise.</param>
internal readonly record struct ServerRun(long StartedAt, long CountsSince);
