using Npgsql;

namespace ReplicaRouter;

/// <summary>One try of an operation that failed, reduced to what decides on another: the row of <see cref="RetryTable"/> that is looked up.</summary>
internal readonly record struct FailedTry
{
    public TryPhase Phase { get; init; }

    /// <summary>What the failure means for the host.</summary>
    public FailureKind Kind { get; init; }

    public FailureDetail Detail { get; init; }

    /// <summary>Whether connections of the route are read-only.</summary>
    public bool IsReadOnly { get; init; }

    /// <summary>Whether the work runs in a transaction of ours.</summary>
    public bool IsTransaction { get; init; }

    /// <summary>Whether anything was sent.</summary>
    public bool HasSent { get; init; }

    /// <summary>Whether the connection broke.</summary>
    public bool IsBroken { get; init; }

    /// <summary>Whether the connection led to a standby.</summary>
    public bool IsOnStandby { get; init; }

    /// <summary>Whether the work was given up, and goes on without its caller.</summary>
    public bool IsGivenUp { get; init; }

    /// <inheritdoc cref="LostAnswer.IsLost"/>
    public bool IsAnswerLost { get; init; }

    /// <inheritdoc cref="LostAnswer.SaysRolledBack"/>
    public bool SaysRolledBack { get; init; }

    /// <summary>Whether the caller lets work be run again: <see cref="OperationOptions.AllowRetry"/>.</summary>
    public bool MayRetry { get; init; }

    /// <summary>Whether the budget for retries is spent.</summary>
    public bool IsBudgetSpent { get; init; }

    /// <summary>The number of this run, from 1. A new transaction counts from 1 again.</summary>
    public int Run { get; init; }

    /// <summary>Earlier runs that a recovery conflict ended.</summary>
    public int Conflicts { get; init; }

    /// <summary>Whether the work has been run once more already because of an error that its host alone might have.</summary>
    public bool HasTriedElsewhere { get; init; }

    /// <summary>Transactions that were rolled back because of another one before this one.</summary>
    public int Rollbacks { get; init; }

    /// <summary>Whether work that its host failed may be run again at all.</summary>
    public bool MayRunAgain => MayRetry && !IsBudgetSpent;

    /// <summary>Whether something was sent whose outcome is unknown. Work that is given up goes on without its caller, and may still send something.</summary>
    public bool IsInDoubt => IsGivenUp || (HasSent && IsBroken && IsAnswerLost);

    /// <summary>Whether the server had ended the connection for being idle, which crossed the very first command on its way. That is no failure of the host.</summary>
    public bool HadEndedIdle => this is { Phase: TryPhase.FirstCommand, Detail: FailureDetail.IdleTimeout };

    /// <summary>On what the error was met.</summary>
    public FailureSite Site => Phase == TryPhase.Opening ? FailureSite.Opening : IsBroken ? FailureSite.BrokenConnection : FailureSite.OpenConnection;

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

    /// <summary>Work failed.</summary>
    /// <param name="exception">What it met.</param>
    /// <param name="attempt">The operation.</param>
    /// <param name="flow">What the work has sent, and how it left its connection.</param>
    /// <param name="isReplica">Whether the host is a replica.</param>
    /// <param name="run">The number of the run.</param>
    /// <param name="rollbacks">Transactions that were rolled back before; null for work that is not in a transaction of ours.</param>
    public static FailedTry OfWork(Exception exception, Attempt attempt, CommandFlow flow, bool isReplica, int run, int? rollbacks) =>
        OfWork(exception, flow.IsBroken, isReplica) with
        {
            Phase = flow.Mark is not null ? TryPhase.Commit : flow.IsFirstCommand ? TryPhase.FirstCommand : TryPhase.Work,
            IsReadOnly = attempt.Plan.IsReadOnly,
            IsTransaction = rollbacks is not null,
            HasSent = flow.HasSent,
            IsOnStandby = flow.IsOnStandby,
            IsGivenUp = flow.IsGivenUp,
            MayRetry = attempt.MayRetry,
            Run = run,
            Conflicts = attempt.Failed?.Conflicts ?? 0,
            HasTriedElsewhere = attempt.Failed?.FirstRun is not null,
            Rollbacks = rollbacks ?? 0,
        };

    /// <summary>What an error of work tells by itself.</summary>
    public static FailedTry OfWork(Exception exception, bool isBroken, bool isReplica) => new()
    {
        Phase = TryPhase.Work,
        // The work does other things as well: an error that Npgsql did not raise is none of the host's.
        Kind = exception is NpgsqlException ? FailureClassifier.Classify(exception, isBroken ? FailureSite.BrokenConnection : FailureSite.OpenConnection) : FailureKind.None,
        Detail = DetailOf(exception, isReplica),
        IsBroken = isBroken,
        IsAnswerLost = LostAnswer.IsLost(exception),
        SaysRolledBack = LostAnswer.SaysRolledBack(exception),
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
