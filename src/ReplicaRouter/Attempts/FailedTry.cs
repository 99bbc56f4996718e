using Npgsql;

namespace ReplicaRouter.Attempts;

/// <summary>One try of an operation that failed, reduced to what decides on another: the row of <see cref="RetryTable"/> that is looked up.</summary>
/// <param name="Phase">How far it had come.</param>
/// <param name="Kind">What the failure means for the host.</param>
/// <param name="Detail">What it says beyond that.</param>
/// <param name="IsReadOnly">Whether connections of the route are read-only.</param>
/// <param name="IsTransaction">Whether the work runs in a transaction of ours.</param>
/// <param name="IsOnStandby">Whether the connection led to a standby.</param>
/// <param name="IsInDoubt">Whether something was sent whose outcome is unknown. Work that is given up goes on without its caller, and may still send something.</param>
/// <param name="SaysRolledBack">As <see cref="LostAnswer.SaysRolledBack"/> has it.</param>
/// <param name="MayRetry">Whether the caller lets work be run again: <see cref="OperationOptions.AllowRetry"/>.</param>
/// <param name="IsBudgetSpent">Whether the budget for retries is spent.</param>
/// <param name="Run">The number of this run, from 1. A new transaction counts from 1 again.</param>
/// <param name="Conflicts">Earlier runs that a recovery conflict ended.</param>
/// <param name="HasTriedElsewhere">Whether the work has been run once more already because of an error that its host alone might have.</param>
/// <param name="Rollbacks">Transactions that were rolled back because of another one before this one.</param>
internal readonly record struct FailedTry(
    TryPhase Phase, FailureKind Kind, FailureDetail Detail, bool IsReadOnly, bool IsTransaction, bool IsOnStandby, bool IsInDoubt, bool SaysRolledBack,
    bool MayRetry, bool IsBudgetSpent, int Run, int Conflicts, bool HasTriedElsewhere, int Rollbacks)
{
    /// <summary>Whether work that its host failed may be run again at all.</summary>
    public bool MayRunAgain => MayRetry && !IsBudgetSpent;

    /// <summary>A connection could not be opened.</summary>
    public static FailedTry OfOpening(Exception exception, Attempt attempt) => new()
    {
        Phase = TryPhase.Opening,
        Kind = FailureClassifier.Classify(exception, FailureSite.Opening),
        // The caller's own deadline says nothing of the host.
        Detail = exception is OperationCanceledException or ObjectDisposedException || attempt.HasExpired ? FailureDetail.Cancelled
            : FailureClassifier.IsPoolExhausted(exception) ? FailureDetail.PoolExhausted
            : FailureDetail.None,
        IsReadOnly = attempt.Plan.IsReadOnly,
        MayRetry = attempt.MayRetry,
    };

    /// <summary>Work failed. <paramref name="rollbacks"/> is null for work that is not in a transaction of ours.</summary>
    public static FailedTry OfWork(Exception exception, Attempt attempt, CommandFlow flow, bool isReplica, int run, int? rollbacks) => new()
    {
        Phase = flow.Mark is not null ? TryPhase.Commit : flow.IsFirstCommand ? TryPhase.FirstCommand : TryPhase.Work,
        // The work does other things as well: an error that Npgsql did not raise is none of the host's.
        Kind = exception is NpgsqlException ? FailureClassifier.Classify(exception, flow.Site) : FailureKind.None,
        Detail = DetailOf(exception, isReplica),
        IsReadOnly = attempt.Plan.IsReadOnly,
        IsTransaction = rollbacks is not null,
        IsOnStandby = flow.IsOnStandby,
        IsInDoubt = flow.IsGivenUp || (flow is { HasSent: true, IsBroken: true } && LostAnswer.IsLost(exception)),
        SaysRolledBack = LostAnswer.SaysRolledBack(exception),
        MayRetry = attempt.MayRetry,
        Run = run,
        Conflicts = attempt.Failed?.Conflicts ?? 0,
        HasTriedElsewhere = attempt.Failed?.FirstRun is not null,
        Rollbacks = rollbacks ?? 0,
    };

    private static FailureDetail DetailOf(Exception exception, bool isReplica) => exception switch
    {
        OperationCanceledException => FailureDetail.Cancelled,
        PostgresException { SqlState: FailureClassifier.IdleSessionTimeout, InvariantSeverity: "FATAL" } => FailureDetail.IdleTimeout,
        PostgresException { SqlState: PostgresErrorCodes.AdminShutdown, InvariantSeverity: "FATAL" } => FailureDetail.Shutdown,
        PostgresException { SqlState: PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected } => FailureDetail.SerializationOrDeadlock,
        _ => HostFaults.MayBeOfHost(exception, isReplica) ? FailureDetail.HostSpecific : FailureDetail.None,
    };
}
