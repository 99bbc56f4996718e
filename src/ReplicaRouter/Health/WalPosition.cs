namespace ReplicaRouter;

/// <summary>Makes WAL positions of a primary and its standbys comparable.</summary>
internal static class WalPosition
{
    private const uint ShortPageHeader = 24;
    private const uint LongPageHeader = 40;

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
}
