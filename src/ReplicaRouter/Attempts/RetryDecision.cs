namespace ReplicaRouter.Attempts;

/// <summary>What becomes of work that failed.</summary>
internal enum RetryDecision
{
    /// <summary>The caller gets the error as it is.</summary>
    CallersError,

    /// <summary>Run again on whichever host is chosen, the same one included. Nothing has failed: this takes nothing from the budget.</summary>
    AgainHere,

    /// <summary>Run again without the host that failed it, until that host has answered a probe. A write has no other host: it waits for a primary.</summary>
    AgainElsewhere,

    /// <summary>Run once more on another host, to see whether the error is the host's. Where no other host may serve, the caller gets the error at once.</summary>
    AgainOnceElsewhere,

    /// <summary>Run again from its beginning, as if it had met no failure, after a pause.</summary>
    AgainInNewTransaction,

    /// <summary>The caller gets its cancellation. If its deadline was the reason, it gets <see cref="TransactionOutcomeUnknownException"/>.</summary>
    CancelledInDoubt,

    /// <summary>The caller gets <see cref="TransactionOutcomeUnknownException"/>.</summary>
    UnknownOutcome,
}
