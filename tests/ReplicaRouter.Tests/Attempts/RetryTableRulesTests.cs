namespace ReplicaRouter.Tests.Attempts;

/// <summary>Rules that hold for every cell of the retry table, whichever line decides it.</summary>
public class RetryTableRulesTests
{
    private static bool IsProvablyNotDone(AttemptFailure failed) => failed.Phase == AttemptPhase.FirstCommand && failed switch
    {
        { Kind: FailureKind.Restarting } or { Kind: FailureKind.Terminated, Detail: FailureDetail.Shutdown } => true,
        { Kind: FailureKind.ReadOnly } => failed.IsOnStandby,
        _ => false,
    };

    private static readonly (string Rule, Func<AttemptFailure, RetryDecision, bool> Holds)[] s_rules =
    [
        ("Every failure has a decision.",
            (_, decision) => Enum.IsDefined(decision)),
        ("Work of a writable route is retried elsewhere only if the server provably did not execute it.",
            (failed, decision) => failed.IsReadOnly || failed.Phase == AttemptPhase.Opening || IsProvablyNotDone(failed) || !decision.TakesFromBudget()),
        ("Work is retried on the same host only if the connection was closed while it was idle.",
            (failed, decision) => decision != RetryDecision.RetryHere || failed is { Phase: AttemptPhase.FirstCommand, Detail: FailureDetail.IdleTimeout }),
        ("A transaction is retried as a new one only after a serialization failure or deadlock.",
            (failed, decision) => decision != RetryDecision.RetryInNewTransaction
                || (failed is { IsTransaction: true, Detail: FailureDetail.SerializationOrDeadlock } && (failed.Phase != AttemptPhase.Commit || failed.SaysRolledBack))),
        ("The outcome of a read is never unknown.",
            (failed, decision) => !failed.IsReadOnly || failed.Phase == AttemptPhase.Commit || decision is not (RetryDecision.UnknownOutcome or RetryDecision.CancelledInDoubt)),
        ("The outcome of a COMMIT is unknown unless the server reports a rollback; then it is known.",
            (failed, decision) => failed.Phase != AttemptPhase.Commit || (decision == RetryDecision.UnknownOutcome) == !failed.SaysRolledBack),
        ("A write in doubt is never reported as failed.",
            (failed, decision) => failed.IsReadOnly || failed.IsTransaction || failed.Phase == AttemptPhase.Opening || !failed.IsInDoubt || decision != RetryDecision.CallersError),
        ("A transaction whose COMMIT was not sent has a known outcome.",
            (failed, decision) => !failed.IsTransaction || failed.Phase == AttemptPhase.Commit || decision is not (RetryDecision.UnknownOutcome or RetryDecision.CancelledInDoubt)),
        ("Work is not retried if its caller forbids retries. Opening a connection elsewhere is no retry.",
            (failed, decision) => failed.MayRetry || failed.Phase == AttemptPhase.Opening || !decision.IsRetry()),
        ("After the third attempt only failures with their own count are retried: lost hosts, errors of one host, rollbacks.",
            (failed, decision) => failed.Run < RetryTable.MaxRuns || failed.Phase == AttemptPhase.Opening || !decision.IsRetry()
                || decision is RetryDecision.RetryOnceElsewhere or RetryDecision.RetryInNewTransaction || failed is { IsReadOnly: true, Kind: FailureKind.Hung }),
        ("An error that may be specific to one host is retried elsewhere once.",
            (failed, decision) => decision != RetryDecision.RetryOnceElsewhere || !failed.HasTriedElsewhere),
        ("Without budget a host's failure is not retried.",
            (failed, decision) => !failed.IsBudgetSpent || failed.Phase == AttemptPhase.Opening || !decision.TakesFromBudget()),
    ];

    [Fact]
    public void Every_cell_of_the_retry_table_follows_the_rules()
    {
        foreach (var failed in Cells())
        {
            var decision = RetryTable.Decide(failed);
            foreach (var (rule, holds) in s_rules)
            {
                if (!holds(failed, decision)) Assert.Fail($"{rule} {failed} has {decision}.");
            }
        }
    }

    /// <summary>Returns all combinations, half a million. The bits of each number are the flags.</summary>
    private static IEnumerable<AttemptFailure> Cells()
    {
        foreach (var phase in Enum.GetValues<AttemptPhase>())
        {
            foreach (var kind in Enum.GetValues<FailureKind>())
            {
                foreach (var detail in Enum.GetValues<FailureDetail>())
                {
                    for (var bits = 0; bits < 1 << 11; bits++)
                    {
                        bool Bit(int place) => (bits & (1 << place)) != 0;
                        // The router sends a COMMIT only for WithTransactionAsync.
                        if (phase == AttemptPhase.Commit && !Bit(1)) continue;
                        yield return new AttemptFailure
                        {
                            Phase = phase,
                            Kind = kind,
                            Detail = detail,
                            IsReadOnly = Bit(0),
                            IsTransaction = Bit(1),
                            IsInDoubt = Bit(2),
                            IsOnStandby = Bit(3),
                            SaysRolledBack = Bit(4),
                            MayRetry = Bit(5),
                            IsBudgetSpent = Bit(6),
                            HasTriedElsewhere = Bit(7),
                            Run = Bit(8) ? RetryTable.MaxRuns : 1,
                            Conflicts = Bit(9) ? 1 : 0,
                            Rollbacks = Bit(10) ? RetryTable.MaxRollbacks : 0,
                        };
                    }
                }
            }
        }
    }
}
