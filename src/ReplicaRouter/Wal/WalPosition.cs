namespace ReplicaRouter.Wal;

/// <summary>A place in a cluster's write-ahead log. The default is no place at all.</summary>
/// <param name="SystemIdentifier">The cluster.</param>
/// <param name="Timeline">The timeline that the position is on.</param>
/// <param name="Lsn">The end of the last WAL record before the place.</param>
internal readonly record struct WalPosition(ulong SystemIdentifier, int Timeline, ulong Lsn)
{
    private const uint ShortPageHeader = 24;
    private const uint LongPageHeader = 40;

    /// <summary>The <see cref="Fork"/> of who has seen several timelines of one number: part of that is lost, whichever of them is the cluster's.</summary>
    public const ulong SeveralForks = ulong.MaxValue;

    /// <summary>Where the timeline left the former one, which tells two timelines of one number apart; 0 when that is not known.</summary>
    public ulong Fork { get; init; }

    public bool IsNone => Lsn == 0;

    /// <summary>The later of two positions of one cluster; of two clusters the first.</summary>
    public static WalPosition Later(in WalPosition a, in WalPosition b)
    {
        if (a.IsNone) return b;
        if (b.IsNone || a.SystemIdentifier != b.SystemIdentifier) return a;
        var later = (b.Timeline, b.Lsn).CompareTo((a.Timeline, a.Lsn)) > 0 ? b : a;
        return a.Timeline == b.Timeline ? later with { Fork = CommonFork(a.Fork, b.Fork) } : later;
    }

    private static ulong CommonFork(ulong a, ulong b) => a == 0 || a == b ? b : b == 0 ? a : SeveralForks;

    /// <summary>The end of the last WAL record, where the insert position already stands behind the header of a page that is still empty.</summary>
    /// <remarks>
    /// At a page's boundary PostgreSQL reports where the next record will start, behind the page header. A standby that has replayed
    /// everything stands before that header, and stays there as long as the primary is idle: it would seem to lag for ever.
    /// Source: PostgreSQL, src/include/access/xlog_internal.h: the first page of a segment has the long header.
    /// </remarks>
    public static ulong EndOfRecord(ulong insertLsn, uint segmentSize, uint blockSize)
    {
        if (insertLsn % segmentSize == LongPageHeader) return insertLsn - LongPageHeader;
        return insertLsn % blockSize == ShortPageHeader ? insertLsn - ShortPageHeader : insertLsn;
    }

    /// <summary>As PostgreSQL writes it, with the timeline.</summary>
    public override string ToString() => $"{Lsn >> 32:X}/{(uint)Lsn:X} on timeline {Timeline}";
}
