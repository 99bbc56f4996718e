namespace ReplicaRouter;

/// <summary>What is noted of a transaction before its COMMIT, so that its outcome can be found out if no answer comes.</summary>
/// <param name="Id">The transaction's id; null when it has written nothing, or when its outcome can't be found out.</param>
/// <param name="Lsn">A position after all that it wrote, and before its commit record.</param>
/// <param name="Server">Which server it ran on.</param>
/// <param name="Timeline">The timeline that the server wrote.</param>
internal sealed record TransactionMark(long? Id, ulong Lsn, (ulong Cluster, long StartedAt, int Port) Server, int Timeline)
{
    public static readonly TransactionMark None = new(null, 0, default, 0);

    /// <summary>Whether what a server says of the transaction's id is about this transaction.</summary>
    /// <param name="server">What the server says of itself.</param>
    /// <param name="history">Where former timelines ended.</param>
    /// <returns>Null when the id's status tells; else the outcome.</returns>
    /// <remarks>
    /// After a crash or a failover the same id may be given to another transaction, unless what this one wrote is part of the history. Where the old
    /// timeline ended before that, its commit record is lost, too.
    /// </remarks>
    public TransactionOutcome? JudgedBy(HostAnswer server, TimelineHistory history)
    {
        if (Id is null || server.SystemIdentifier != Server.Cluster) return TransactionOutcome.Unknown;
        if (server.Server == Server) return null;
        if (server.Timeline != Timeline + 1 || history.EndOf(Timeline) is not { } end) return TransactionOutcome.Unknown;
        return end <= Lsn ? TransactionOutcome.RolledBack : null;
    }
}
