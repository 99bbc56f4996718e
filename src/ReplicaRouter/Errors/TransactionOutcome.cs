namespace ReplicaRouter;

/// <summary>The outcome of a transaction whose COMMIT got no answer.</summary>
public enum TransactionOutcome
{
    /// <summary>The outcome is unknown. Check your own data before you repeat the transaction.</summary>
    Unknown,

    /// <summary>The transaction was committed. Don't repeat it.</summary>
    Committed,

    /// <summary>The transaction was rolled back, or lost in a failover. It can be repeated.</summary>
    RolledBack,
}
