using System.Collections.Immutable;

namespace ReplicaRouter.Wal;

/// <summary>Where the primary's WAL ended at which moment, as probes saw it: a clock that turns a WAL position into an age.</summary>
/// <remarks>
/// Everything acknowledged before a probe was sent lies at or before the position that the probe then read. So a replica that has
/// replayed that position is at most as stale as the time since the probe was sent. This needs no clock but our own monotonic one, no
/// heartbeat table and no superuser, and does not grow on an idle primary, where <c>now() - pg_last_xact_replay_timestamp()</c> would.
/// </remarks>
internal sealed class WalHistory(int timeline, ImmutableArray<(long At, ulong Lsn)> samples)
{
    /// <summary>Two minutes at one probe a second. Beyond that, the samples that matter least for their age are dropped, which rounds long lags up.</summary>
    private const int Capacity = 128;

    public static readonly WalHistory Empty = new(0, []);

    /// <summary>The timeline of the positions. Positions on different timelines can't be compared.</summary>
    public int Timeline => timeline;

    public bool IsEmpty => samples.IsEmpty;

    public long NewestAt => samples[^1].At;
    public ulong NewestLsn => samples[^1].Lsn;

    /// <summary>
    /// Returns this history with the primary's end of WAL, as read by a probe sent at <paramref name="at"/>. A higher timeline starts a new history; a lower one is ignored.
    /// </summary>
    public WalHistory Record(int seen, long at, ulong lsn)
    {
        // The old primary's last position can be ahead of where the new one starts.
        if (seen > timeline || samples.IsEmpty) return new WalHistory(seen, [(at, lsn)]);
        if (seen < timeline) return this;
        var newest = samples[^1];
        // Answers arrived out of order: the older one proves nothing new.
        if (at <= newest.At || lsn < newest.Lsn) return this;
        // The primary is idle. The same position, seen later, is the stronger proof.
        if (lsn == newest.Lsn) return new WalHistory(timeline, samples.SetItem(samples.Length - 1, (at, lsn)));
        return new WalHistory(timeline, (samples.Length < Capacity ? samples : Thinned(at)).Add((at, lsn)));
    }

    /// <summary>Returns the newest moment at which the primary's WAL ended at or before <paramref name="lsn"/>. A replica that replayed it provably shows that state.</summary>
    /// <returns><see langword="null"/> when the position is older than this history.</returns>
    public long? ProvenAt(ulong lsn)
    {
        var index = NewestAtOrBefore(lsn);
        return index < 0 ? null : samples[index].At;
    }

    /// <summary>Returns the likely moment at which the primary's WAL ended at <paramref name="lsn"/>, interpolated between two samples.</summary>
    public long? EstimatedAt(ulong lsn)
    {
        var index = NewestAtOrBefore(lsn);
        if (index < 0) return null;
        if (index == samples.Length - 1) return samples[index].At;
        var (before, after) = (samples[index], samples[index + 1]);
        return before.At + (long)((after.At - before.At) * ((double)(lsn - before.Lsn) / (after.Lsn - before.Lsn)));
    }

    /// <summary>Returns the newest position that was known at a moment; 0 for none.</summary>
    public ulong KnownAt(long at)
    {
        var index = samples.Length - 1;
        while (index >= 0 && samples[index].At > at) index--;
        return index < 0 ? 0 : samples[index].Lsn;
    }

    private int NewestAtOrBefore(ulong lsn)
    {
        var index = samples.Length - 1;
        while (index >= 0 && samples[index].Lsn > lsn) index--;
        return index;
    }

    /// <summary>Drops the sample whose neighbours are closest together for their age. So the history stays long, and fine-grained where it is recent.</summary>
    private ImmutableArray<(long At, ulong Lsn)> Thinned(long now) => samples.RemoveAt(
        Enumerable.Range(1, samples.Length - 2).MinBy(i => (samples[i + 1].At - samples[i - 1].At) / (double)(now - samples[i].At + 1)));
}
