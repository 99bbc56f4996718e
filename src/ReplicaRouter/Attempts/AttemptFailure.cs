using Npgsql;

namespace ReplicaRouter.Attempts;

/// <summary>A failed attempt, reduced to what decides on a retry: the key of <see cref="RetryTable"/>.</summary>
/// <param name="Phase">How far the attempt got.</param>
/// <param name="Kind">What the failure means for the host.</param>
/// <param name="Detail">Details beyond that.</param>
/// <param name="IsReadOnly">Whether the route's connections are read-only.</param>
/// <param name="IsTransaction">Whether the router runs the work in a transaction.</param>
/// <param name="IsOnStandby">Whether the server was a standby.</param>
/// <param name="IsInDoubt">Whether the outcome of something that was sent is unknown. Abandoned work continues without its caller, and can still send something.</param>
/// <param name="SaysRolledBack">The result of <see cref="LostAnswer.SaysRolledBack"/>.</param>
/// <param name="MayRetry">Whether the caller allows retries: <see cref="OperationOptions.AllowRetry"/>.</param>
/// <param name="IsBudgetSpent">Whether the retry budget is spent.</param>
/// <param name="Run">The number of the attempt, from 1. A new transaction starts from 1 again.</param>
/// <param name="Conflicts">Earlier attempts that ended in a recovery conflict.</param>
/// <param name="HasTriedElsewhere">Whether the work was already retried because of an error that may be specific to its host.</param>
/// <param name="Rollbacks">Earlier transactions that the server rolled back because of another one.</param>
internal readonly record struct AttemptFailure(
    AttemptPhase Phase, FailureKind Kind, FailureDetail Detail, bool IsReadOnly, bool IsTransaction, bool IsOnStandby, bool IsInDoubt, bool SaysRolledBack,
    bool MayRetry, bool IsBudgetSpent, int Run, int Conflicts, bool HasTriedElsewhere, int Rollbacks)
{
    /// <summary>Whether work that failed on a host may be retried at all.</summary>
    public bool MayRunAgain => MayRetry && !IsBudgetSpent;

    public static AttemptFailure OfOpening(Exception exception, Attempt attempt) => new()
    {
        Phase = AttemptPhase.Opening,
        Kind = FailureClassifier.Classify(exception, FailureSite.Opening),
        // The caller's own deadline says nothing about the host.
        Detail = exception is OperationCanceledException or ObjectDisposedException || attempt.HasExpired ? FailureDetail.Cancelled
            : FailureClassifier.IsPoolExhausted(exception) ? FailureDetail.PoolExhausted
            : FailureDetail.None,
        IsReadOnly = attempt.Plan.IsReadOnly,
        MayRetry = attempt.MayRetry,
    };

    /// <summary>Describes failed work. <paramref name="rollbacks"/> is null for work outside a transaction of the router.</summary>
    public static AttemptFailure OfWork(Exception exception, Attempt attempt, CommandFlow flow, bool isReplica, int run, int? rollbacks) => new()
    {
        Phase = flow.Mark is not null ? AttemptPhase.Commit : flow.IsFirstCommand ? AttemptPhase.FirstCommand : AttemptPhase.Work,
        // The work also runs other code; an error that Npgsql did not raise does not concern the host.
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
        _ => HostFaults.IsPossiblyHostSpecific(exception, isReplica) ? FailureDetail.HostSpecific : FailureDetail.None,
    };
}
