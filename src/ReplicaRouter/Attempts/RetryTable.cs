using static ReplicaRouter.Wal.FailureKind;
using static ReplicaRouter.Attempts.RetryDecision;
using static ReplicaRouter.Attempts.TryPhase;

namespace ReplicaRouter.Attempts;

/// <summary>What becomes of work that failed, as a table: the first line that fits holds.</summary>
/// <remarks>A pure function. What goes with a decision (reports of the host, the budget, counters, the log) is the business of <see cref="RetryRules"/>.</remarks>
internal static class RetryTable
{
    /// <summary>Runs of one piece of work that may fail. With three failures in a row, the next is not the host's fault; that a host was lost meanwhile always is.</summary>
    public const int MaxRuns = 3;

    /// <summary>Transactions that are run again after the server rolled them back because of another one.</summary>
    public const int MaxRollbacks = 5;

    public static RetryDecision Decide(in FailedTry failed) => failed switch
    {
        // Opening. Nothing of the work was sent, so this is no retry of it: it goes on until the route's wait is over, whatever AllowRetry says.
        { Phase: TryPhase.Opening, Detail: FailureDetail.Cancelled } => CallersError,
        // An exhausted pool is no fault of its host. For a read another host will do; a write has waited for as long as it may.
        { Phase: TryPhase.Opening, Detail: FailureDetail.PoolExhausted, IsReadOnly: false } => CallersError,
        { Phase: TryPhase.Opening } => AgainElsewhere,

        // The server takes no command on a connection that it has ended for being idle, or rolls back the one that it has begun, as with 57P01 below.
        { Phase: FirstCommand, Detail: FailureDetail.IdleTimeout, MayRetry: true, Run: < MaxRuns } => AgainHere,

        // COMMIT. Only the server's word that it rolled back is an answer: LostAnswer.SaysRolledBack.
        { Phase: Commit, SaysRolledBack: true, Detail: FailureDetail.SerializationOrDeadlock, MayRetry: true, Rollbacks: < MaxRollbacks } => AgainInNewTransaction,
        { Phase: Commit, SaysRolledBack: true } => CallersError,
        { Phase: Commit } => UnknownOutcome,

        // Reads have done nothing that a second run could repeat.
        { IsReadOnly: true, MayRunAgain: true, Kind: None, Detail: FailureDetail.HostSpecific, HasTriedElsewhere: false } => AgainOnceElsewhere,
        // The read was given up because its host is lost, not because it failed. Any number of hosts may be lost.
        { IsReadOnly: true, MayRunAgain: true, Kind: Hung } => AgainElsewhere,
        // The next standby may have the same conflict, and the one after it.
        { IsReadOnly: true, MayRunAgain: true, Kind: RecoveryConflict, Run: < MaxRuns, Conflicts: 0 } => AgainElsewhere,
        // Not Timeout: a slow query as likely as a slow host, and the probes tell which. Not ReadOnly: a write on a read-only route.
        { IsReadOnly: true, MayRunAgain: true, Kind: Unreachable or Terminated or Restarting or Full, Run: < MaxRuns } => AgainElsewhere,
        { IsReadOnly: true, MayRunAgain: true, Kind: Misconfigured or NoPassword or NameUnknown, Run: < MaxRuns } => AgainElsewhere,

        // Writes, only where the server itself says of the very first command that it did not do it.
        { IsReadOnly: false, MayRunAgain: true, Phase: FirstCommand, Kind: Restarting, Run: < MaxRuns } => AgainElsewhere,
        // A backend that has to end (57P01) says so only between commands or in the midst of one, which it then rolls back: it holds such interrupts off
        // while it commits, and when it has committed and waits for a synchronous standby, it goes without this message. A backend that dies with its server
        // says nothing, or 57P02 at any time. Source: PostgreSQL's ProcessInterrupts, CommitTransaction and SyncRepWaitForLSN.
        { IsReadOnly: false, MayRunAgain: true, Phase: FirstCommand, Kind: Terminated, Detail: FailureDetail.Shutdown, Run: < MaxRuns } => AgainElsewhere,
        // What was the primary is a standby now. On a primary, 25006 is the work's own read-only transaction.
        { IsReadOnly: false, MayRunAgain: true, Phase: FirstCommand, Kind: ReadOnly, IsOnStandby: true, Run: < MaxRuns } => AgainElsewhere,

        // A transaction without its COMMIT has done nothing. What failed it need not be met again only if another transaction was the reason.
        { IsTransaction: true, Detail: FailureDetail.SerializationOrDeadlock, MayRetry: true, Rollbacks: < MaxRollbacks } => AgainInNewTransaction,
        { IsTransaction: true } => CallersError,
        { IsReadOnly: true } => CallersError,

        // A command that commits by itself was sent, and its answer was lost.
        { IsInDoubt: true, Detail: FailureDetail.Cancelled } => CancelledInDoubt,
        { IsInDoubt: true } => UnknownOutcome,
        _ => CallersError,
    };

    /// <summary>Whether the work is run again.</summary>
    public static bool IsAgain(this RetryDecision decision) => decision is AgainHere or AgainElsewhere or AgainOnceElsewhere or AgainInNewTransaction;

    /// <summary>Whether another run of the work takes something from the budget: one that a host failed. Openings take nothing.</summary>
    public static bool TakesFromBudget(this RetryDecision decision) => decision is AgainElsewhere or AgainOnceElsewhere;
}
