using static ReplicaRouter.Wal.FailureKind;
using static ReplicaRouter.Attempts.RetryDecision;
using static ReplicaRouter.Attempts.AttemptPhase;

namespace ReplicaRouter.Attempts;

/// <summary>What to do about failed work, as a table: the first matching row applies.</summary>
/// <remarks>A pure function. <see cref="RetryRules"/> handles the side effects: reports about the host, the budget, counters, the log.</remarks>
internal static class RetryTable
{
    /// <summary>Most attempts that may fail. After three failures in a row, the host is not the cause. Attempts on a host that was lost are retried in any case.</summary>
    public const int MaxRuns = 3;

    /// <summary>How often a transaction is retried after the server rolled it back because of another one.</summary>
    public const int MaxRollbacks = 5;

    public static RetryDecision Decide(in AttemptFailure failed) => failed switch
    {
        // Opening. Nothing of the work was sent, so this is not a retry of it: it continues until the route's wait is over, regardless of AllowRetry.
        { Phase: AttemptPhase.Opening, Detail: FailureDetail.Cancelled } => CallersError,
        // An exhausted pool is not the host's fault. A read can use another host; a write has waited as long as it may.
        { Phase: AttemptPhase.Opening, Detail: FailureDetail.PoolExhausted, IsReadOnly: false } => CallersError,
        { Phase: AttemptPhase.Opening } => RetryElsewhere,

        // The server accepts no command on a connection that it has closed as idle, or rolls back the one that it has started, as with 57P01 below.
        { Phase: FirstCommand, Detail: FailureDetail.IdleTimeout, MayRetry: true, Run: < MaxRuns } => RetryHere,

        // COMMIT. Only the server's report of a rollback is an answer: LostAnswer.SaysRolledBack.
        { Phase: Commit, SaysRolledBack: true, Detail: FailureDetail.SerializationOrDeadlock, MayRetry: true, Rollbacks: < MaxRollbacks } => RetryInNewTransaction,
        { Phase: Commit, SaysRolledBack: true } => CallersError,
        { Phase: Commit } => UnknownOutcome,

        // A read has no effects that a retry could repeat.
        { IsReadOnly: true, MayRunAgain: true, Kind: None, Detail: FailureDetail.HostSpecific, HasTriedElsewhere: false } => RetryOnceElsewhere,
        // The read was abandoned because its host is lost, not because it failed. Any number of hosts can be lost.
        { IsReadOnly: true, MayRunAgain: true, Kind: Hung } => RetryElsewhere,
        // Only once: the next standby may have the same conflict, and so may the one after it.
        { IsReadOnly: true, MayRunAgain: true, Kind: RecoveryConflict, Run: < MaxRuns, Conflicts: 0 } => RetryElsewhere,
        // Not Timeout: a slow query is as likely as a slow host, and the probes show which. Not ReadOnly: that is a write on a read-only route.
        { IsReadOnly: true, MayRunAgain: true, Kind: Unreachable or Terminated or Restarting or Full, Run: < MaxRuns } => RetryElsewhere,
        { IsReadOnly: true, MayRunAgain: true, Kind: Misconfigured or NoPassword or NameUnknown, Run: < MaxRuns } => RetryElsewhere,

        // Writes, only if the server itself reports that it did not execute the very first command.
        { IsReadOnly: false, MayRunAgain: true, Phase: FirstCommand, Kind: Restarting, Run: < MaxRuns } => RetryElsewhere,
        // A backend that is terminated (57P01) reports it only between commands, or during one, which it then rolls back: it holds such interrupts off while it commits, and
        // when it has committed and waits for a synchronous standby, it ends without this message. A backend that dies with its server reports nothing, or 57P02 at any time.
        // Source: PostgreSQL's ProcessInterrupts, CommitTransaction and SyncRepWaitForLSN.
        { IsReadOnly: false, MayRunAgain: true, Phase: FirstCommand, Kind: Terminated, Detail: FailureDetail.Shutdown, Run: < MaxRuns } => RetryElsewhere,
        // The former primary is now a standby. On a primary, 25006 comes from the work's own read-only transaction.
        { IsReadOnly: false, MayRunAgain: true, Phase: FirstCommand, Kind: ReadOnly, IsOnStandby: true, Run: < MaxRuns } => RetryElsewhere,

        // A transaction has no effects before COMMIT. A retry can avoid the same failure only if another transaction caused it.
        { IsTransaction: true, Detail: FailureDetail.SerializationOrDeadlock, MayRetry: true, Rollbacks: < MaxRollbacks } => RetryInNewTransaction,
        { IsTransaction: true } => CallersError,
        { IsReadOnly: true } => CallersError,

        // A command outside a transaction was sent, which commits on its own, and its answer was lost.
        { IsInDoubt: true, Detail: FailureDetail.Cancelled } => CancelledInDoubt,
        { IsInDoubt: true } => UnknownOutcome,
        _ => CallersError,
    };

    public static bool IsRetry(this RetryDecision decision) => decision is RetryHere or RetryElsewhere or RetryOnceElsewhere or RetryInNewTransaction;

    /// <summary>Whether the retry uses the budget: one after a host's failure does. Openings use none.</summary>
    public static bool TakesFromBudget(this RetryDecision decision) => decision is RetryElsewhere or RetryOnceElsewhere;
}
