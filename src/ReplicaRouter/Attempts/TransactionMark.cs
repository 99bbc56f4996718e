namespace ReplicaRouter.Attempts;

/// <summary>What is recorded about a transaction before its COMMIT, so that its outcome can be determined if no answer comes.</summary>
/// <param name="Id">The transaction's id; null if it has written nothing.</param>
/// <param name="Facts">What its server reported: a position after all that the transaction wrote, and before its commit record.</param>
internal sealed record TransactionMark(long? Id, PrimaryFacts Facts)
{
    /// <summary>For a transaction whose outcome can't be determined.</summary>
    public static readonly TransactionMark None = new(null, default);

    /// <summary>The outcome, if it is known without asking a server.</summary>
    /// <returns>Null if a primary must be asked.</returns>
    public TransactionOutcome? Known => Facts.Position.SystemIdentifier == 0 ? TransactionOutcome.Unknown
        : Id is null ? TransactionOutcome.RolledBack   // or committed, which makes no difference; a retry does no harm
        : null;

    /// <summary>Returns the transaction's outcome, by what a primary reports about its id.</summary>
    /// <param name="status">PostgreSQL's status of the id: "committed", "aborted", "in progress"; null for an id that is too old to be known.</param>
    /// <param name="now">What that primary reports about itself.</param>
    /// <param name="history">Where former timelines ended.</param>
    /// <returns>Null while it is undecided.</returns>
    /// <remarks>
    /// After a crash or a failover, the same id can be assigned to another transaction, unless what this one wrote is part of the history: then the id is taken.
    /// "Not committed" needs no such proof: if the commit were part of the history, the id would be committed.
    /// </remarks>
    public TransactionOutcome? JudgedBy(string? status, in PrimaryFacts now, TimelineHistory history)
    {
        var ((cluster, timeline, lsn), (presentCluster, present, _)) = (Facts.Position, now.Position);
        // A server that was left behind by a failover knows less than the new primary.
        if (Known is not null || cluster != presentCluster || present < timeline) return Known ?? TransactionOutcome.Unknown;
        // It left the old timeline before the commit record; what it has recovered since does not matter.
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
