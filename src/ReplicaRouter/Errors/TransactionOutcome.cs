namespace ReplicaRouter;

/// <summary>What became of a transaction whose COMMIT got no answer.</summary>
public enum TransactionOutcome
{
    /// <summary>It can't be told. Look by your own data before you repeat it.</summary>
    Unknown,

    /// <summary>It was committed. Don't repeat it.</summary>
    Committed,

    /// <summary>It was rolled back, or lost in a failover. It may be repeated.</summary>
    RolledBack,
}
