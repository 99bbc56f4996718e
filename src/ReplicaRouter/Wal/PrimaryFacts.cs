using System.Data.Common;
using System.Globalization;
using NpgsqlTypes;

namespace ReplicaRouter.Wal;

/// <summary>What a primary says of itself around a COMMIT. The default says nothing.</summary>
/// <param name="Position">The end of WAL that was inserted, or a little more.</param>
/// <param name="RecoveryEnd">Where its last recovery ended, be it a crash's or the one before its promotion; null where there was none since its start.</param>
/// <param name="Run">In which run of the server that was, in which it neither stopped nor crashed: when the postmaster started, and since when it has statistics. Null where it is not known.</param>
internal readonly record struct PrimaryFacts(WalPosition Position, ulong? RecoveryEnd, (DateTime StartedAt, DateTime CountsSince)? Run)
{
    /// <summary>The columns that tell, for any role. They are asked for before each COMMIT: what can be worked out here is not left to the server.</summary>
    /// <remarks>
    /// When one backend crashes, the server recovers without a new start, so that the time of its start proves nothing. But a crash always
    /// throws the statistics away. Source: PostgreSQL, src/backend/access/transam/xlog.c, StartupXLOG; a reset of the statistics looks the same.
    /// </remarks>
    public const string Columns =
        "pg_walfile_name(pg_current_wal_insert_lsn()), pg_current_wal_insert_lsn(), pg_last_wal_replay_lsn(), pg_postmaster_start_time(), pg_stat_get_bgwriter_stat_reset_time()";

    /// <summary>Reads a row that begins with <see cref="Columns"/>.</summary>
    public static PrimaryFacts Read(DbDataReader reader, ulong systemIdentifier) => new(
        new WalPosition(systemIdentifier, TimelineOf(reader.GetString(0)), Lsn(reader, 1)),
        reader.IsDBNull(2) ? null : Lsn(reader, 2),
        reader.IsDBNull(4) ? null : (reader.GetFieldValue<DateTime>(3), reader.GetFieldValue<DateTime>(4)));

    // The first 8 digits of the name.
    private static int TimelineOf(string walFile) => int.Parse(walFile.AsSpan(0, 8), NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    private static ulong Lsn(DbDataReader reader, int column) => (ulong)reader.GetFieldValue<NpgsqlLogSequenceNumber>(column);
}
