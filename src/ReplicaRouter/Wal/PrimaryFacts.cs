using System.Data.Common;
using System.Globalization;
using NpgsqlTypes;

namespace ReplicaRouter.Wal;

/// <summary>What a primary reports about itself around a COMMIT. The default holds no facts.</summary>
/// <param name="Position">The WAL insert position, or slightly more.</param>
/// <param name="RecoveryEnd">Where its last recovery ended, from a crash or before its promotion; null if there was none since its start.</param>
/// <param name="Run">
/// Identifies the server's run, in which it neither stopped nor crashed: when the postmaster started, and since when it has collected statistics. Null if unknown.
/// </param>
internal readonly record struct PrimaryFacts(WalPosition Position, ulong? RecoveryEnd, (DateTime StartedAt, DateTime CountsSince)? Run)
{
    /// <summary>The columns with these facts, readable by any role. Queried before each COMMIT, so what can be computed here is not left to the server.</summary>
    /// <remarks>
    /// When a backend crashes, the server recovers without a restart, so an unchanged start time proves nothing. But a crash always discards the statistics. Source: PostgreSQL,
    /// src/backend/access/transam/xlog.c, StartupXLOG. A manual reset of the statistics looks the same.
    /// </remarks>
    public const string Columns =
        "pg_walfile_name(pg_current_wal_insert_lsn()), pg_current_wal_insert_lsn(), pg_last_wal_replay_lsn(), pg_postmaster_start_time(), pg_stat_get_bgwriter_stat_reset_time()";

    /// <summary>Reads a row that begins with <see cref="Columns"/>.</summary>
    public static PrimaryFacts Read(DbDataReader reader, ulong systemIdentifier) => new(
        // The first 8 hexadecimal digits of a WAL file's name are its timeline.
        new WalPosition(systemIdentifier, int.Parse(reader.GetString(0).AsSpan(0, 8), NumberStyles.HexNumber, CultureInfo.InvariantCulture), Lsn(reader, 1)),
        reader.IsDBNull(2) ? null : Lsn(reader, 2),
        reader.IsDBNull(4) ? null : (reader.GetFieldValue<DateTime>(3), reader.GetFieldValue<DateTime>(4)));

    private static ulong Lsn(DbDataReader reader, int column) => (ulong)reader.GetFieldValue<NpgsqlLogSequenceNumber>(column);
}
