namespace ReplicaRouter.Attempts;

/// <summary>What to do about failed work.</summary>
internal enum RetryDecision
{
    /// <summary>The caller gets the error unchanged.</summary>
    CallersError,

    /// <summary>Retry on any host, including the same one. Nothing has failed, so this uses no budget.</summary>
    RetryHere,

    /// <summary>Retry, excluding the host until it answers a probe. A write has no other host: it waits for a primary.</summary>
    RetryElsewhere,

    /// <summary>Retry once on another host, to see whether the error is specific to the first. If no other host may serve, the caller gets the error at once.</summary>
    RetryOnceElsewhere,

    /// <summary>After a pause, retry from the beginning, as if nothing had failed.</summary>
    RetryInNewTransaction,

    /// <summary>The caller gets its cancellation; <see cref="TransactionOutcomeUnknownException"/> if its deadline was the reason.</summary>
    CancelledInDoubt,

    /// <summary>The caller gets <see cref="TransactionOutcomeUnknownException"/>.</summary>
    UnknownOutcome,
}
