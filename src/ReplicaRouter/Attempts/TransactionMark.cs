namespace ReplicaRouter.Attempts;

/// <summary>What is noted of a transaction before its COMMIT, so that its outcome can be found out if no answer comes.</summary>
/// <param name="Id">The transaction's id; null when it has written nothing.</param>
/// <param name="Facts">What its server said: a position after all that the transaction wrote, and before its commit record.</param>
internal sealed record TransactionMark(long? Id, PrimaryFacts Facts)
{
    /// <summary>Of a transaction whose outcome can't be found out.</summary>
    public static readonly TransactionMark None = new(null, default);

    /// <summary>What can be said without a question to a server.</summary>
    /// <returns>Null when a primary has to be asked.</returns>
    public TransactionOutcome? Known => Facts.Position.SystemIdentifier == 0 ? TransactionOutcome.Unknown
        : Id is null ? TransactionOutcome.RolledBack   // or committed: that makes no difference, and to run it again does no harm
        : null;

    /// <summary>What became of the transaction, by what a primary says of its id.</summary>
    /// <param name="status">What PostgreSQL calls the id's status: "committed", "aborted", "in progress"; null for an id so old that it is forgotten.</param>
    /// <param name="now">What that primary says of itself.</param>
    /// <param name="history">Where former timelines ended.</param>
    /// <returns>Null while that is not decided.</returns>
    /// <remarks>
    /// After a crash or a failover the same id may be given to another transaction, unless what this one wrote is part of the history: then it is
    /// known to be taken. That an id is not committed needs no such proof: were the commit part of the history, the id would be committed.
    /// </remarks>
    public TransactionOutcome? JudgedBy(string? status, in PrimaryFacts now, TimelineHistory history)
    {
        var ((cluster, timeline, lsn), (presentCluster, present, _)) = (Facts.Position, now.Position);
        // A server that was left behind by the failover of another knows less than that other one.
        if (Known is not null || cluster != presentCluster || present < timeline) return Known ?? TransactionOutcome.Unknown;
        // Whatever it recovered since it left the old timeline, it left it before the commit record.
        if (present > timeline && now.RecoveryEnd <= lsn) return TransactionOutcome.RolledBack;
        return status switch
        {
            "aborted" => TransactionOutcome.RolledBack,
            "in progress" => null,
            "committed" when (Facts.Run is { } run && now.Run == run) || (present == timeline + 1 && history.EndOf(timeline) > lsn) => TransactionOutcome.Committed,
            _ => TransactionOutcome.Unknown,
        };
    }
}
