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
    /// <returns>Null when the id's status tells; else the outcome.</returns>
    /// <remarks>
    /// After a crash or a failover a server may give the same id to another transaction, unless what this one wrote has survived. When recovery ended
    /// before that, its commit record is lost, too.
    /// </remarks>
    public TransactionOutcome? JudgedBy(HostAnswer server)
    {
        if (Id is null || server.SystemIdentifier != Server.Cluster) return TransactionOutcome.Unknown;
        if (server.Server == Server) return null;
        if (server.Timeline is not { } timeline || timeline < Timeline || timeline > Timeline + 1 || server.ReplayLsn is not { } recovered) return TransactionOutcome.Unknown;
        return recovered <= Lsn ? TransactionOutcome.RolledBack : null;
    }
}
