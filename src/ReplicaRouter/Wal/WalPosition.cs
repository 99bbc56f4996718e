namespace ReplicaRouter.Wal;

/// <summary>A position in a cluster's write-ahead log. The default is none.</summary>
/// <param name="SystemIdentifier">The cluster.</param>
/// <param name="Timeline">The timeline that the position is on.</param>
/// <param name="Lsn">The end of the last WAL record before the position.</param>
internal readonly record struct WalPosition(ulong SystemIdentifier, int Timeline, ulong Lsn)
{
    private const uint ShortPageHeader = 24;
    private const uint LongPageHeader = 40;

    /// <summary>The <see cref="Fork"/> of a session that saw several timelines with one number: part of what it saw is lost, whichever of them is the cluster's.</summary>
    public const ulong SeveralForks = ulong.MaxValue;

    /// <summary>The position at which the timeline branched off the previous one, which distinguishes timelines with the same number; 0 if unknown.</summary>
    public ulong Fork { get; init; }

    public bool IsNone => Lsn == 0;

    /// <summary>Returns the later of two positions in one cluster; the first one if the clusters differ.</summary>
    public static WalPosition Later(in WalPosition a, in WalPosition b)
    {
        if (a.IsNone) return b;
        if (b.IsNone || a.SystemIdentifier != b.SystemIdentifier) return a;
        var later = (b.Timeline, b.Lsn).CompareTo((a.Timeline, a.Lsn)) > 0 ? b : a;
        return a.Timeline == b.Timeline ? later with { Fork = CommonFork(a.Fork, b.Fork) } : later;
    }

    private static ulong CommonFork(ulong a, ulong b) => a == 0 || a == b ? b : b == 0 ? a : SeveralForks;

    /// <summary>Returns the end of the last WAL record, even if the insert position is already past the header of an empty page.</summary>
    /// <remarks>
    /// At a page boundary, PostgreSQL reports where the next record will start, after the page header. A standby that has replayed
    /// everything stops before that header, and stays there while the primary is idle: it would seem to lag for ever.
    /// Source: PostgreSQL, src/include/access/xlog_internal.h: the first page of a segment has the long header.
    /// </remarks>
    public static ulong EndOfRecord(ulong insertLsn, uint segmentSize, uint blockSize)
    {
        if (insertLsn % segmentSize == LongPageHeader) return insertLsn - LongPageHeader;
        return insertLsn % blockSize == ShortPageHeader ? insertLsn - ShortPageHeader : insertLsn;
    }

    /// <summary>Formats the LSN as PostgreSQL does, with the timeline.</summary>
    public override string ToString() => $"{Lsn >> 32:X}/{(uint)Lsn:X} on timeline {Timeline}";
}
