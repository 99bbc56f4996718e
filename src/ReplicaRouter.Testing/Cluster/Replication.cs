using NpgsqlTypes;
using ReplicaRouter.Testing.Processes;

namespace ReplicaRouter.Testing.Cluster;

/// <summary>Waits for standbys to replay, and repoints them by their positions.</summary>
internal static class Replication
{
    private const int WalPage = 8192;
    private const int LongestPageHeader = 40;
    private static readonly TimeSpan s_questionLimit = TimeSpan.FromSeconds(2);

    internal static async Task WaitAsync(LocalServer primary, IReadOnlyList<LocalServer> standbys, TimeSpan limit, CancellationToken cancellationToken)
    {
        var written = await primary.QueryAsync<NpgsqlLogSequenceNumber>("SELECT pg_current_wal_insert_lsn()", cancellationToken).ConfigureAwait(false);
        // At a page boundary, the insert position is already past the page header, where no record ends.
        var intoPage = (ulong)written % WalPage;
        var target = new NpgsqlLogSequenceNumber(intoPage <= LongestPageHeader ? (ulong)written - intoPage : (ulong)written);
        foreach (var standby in standbys)
        {
            NpgsqlLogSequenceNumber? replayed = null;
            await Wait.UntilAsync(async bound =>
            {
                replayed = await standby.QueryAsync<NpgsqlLogSequenceNumber>("SELECT pg_last_wal_replay_lsn()", bound).ConfigureAwait(false);
                return replayed >= target;
            }, limit, () => $"Server '{standby.Name}' did not replay up to {target} within {limit.TotalSeconds:0.###} s; it is at {replayed?.ToString() ?? "an unknown position"}.", cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Makes a standby follow a new primary. A standby with WAL past the fork cannot follow, and is replaced by a fresh copy.</summary>
    internal static async Task RepointAsync(LocalServer standby, LocalServer primary, NpgsqlLogSequenceNumber fork, CancellationToken cancellationToken)
    {
        if (standby.IsRunning && await HasPassedAsync(standby, fork, cancellationToken).ConfigureAwait(false))
            await standby.CloneAsync(primary, primary, cancellationToken).ConfigureAwait(false);
        else standby.Follow(primary);
    }

    private static async Task<bool> HasPassedAsync(LocalServer standby, NpgsqlLogSequenceNumber fork, CancellationToken cancellationToken)
    {
        try
        {
            var passed = false;
            await Wait.WithinAsync(async bound => passed = await standby.QueryAsync<bool>(
                $"SELECT greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) > '{fork}'", bound).ConfigureAwait(false),
                s_questionLimit, () => "", cancellationToken).ConfigureAwait(false);
            return passed;
        }
        catch (LocalClusterException)
        {
            return false;   // suspended: it reads its new upstream once it is resumed
        }
    }
}
