using System.Net.Sockets;
using Npgsql;

namespace ReplicaRouter.Tests.Attempts;

/// <summary>The retry decision for each failure, phase and route.</summary>
public class RetryTableTests
{
    private const bool Broken = true;
    private const bool Open = false;

    private const AttemptPhase First = AttemptPhase.FirstCommand;
    private const AttemptPhase Later = AttemptPhase.Work;

    private const RetryDecision Error = RetryDecision.CallersError;
    private const RetryDecision Here = RetryDecision.RetryHere;
    private const RetryDecision Elsewhere = RetryDecision.RetryElsewhere;
    private const RetryDecision Once = RetryDecision.RetryOnceElsewhere;
    private const RetryDecision NewTransaction = RetryDecision.RetryInNewTransaction;
    private const RetryDecision InDoubt = RetryDecision.CancelledInDoubt;
    private const RetryDecision Unknown = RetryDecision.UnknownOutcome;

    private readonly TestTopology _topology = new("primary", "background");

    /// <summary>Returns a failed first attempt that its caller allows to be retried. By default the host was last seen as a replica and the attempt sent a command.</summary>
    private AttemptFailure Failed(string error, bool isBroken = Open, AttemptPhase phase = Later, bool isReplica = true, bool hasSent = true)
    {
        var flow = new CommandFlow { IsBroken = isBroken };
        if (hasSent) flow.Sent(10);
        if (error is "hung" or "cancelled-given-up") flow.GiveUp();
        return AttemptFailure.OfWork(ErrorOf(error), AttemptOf(DatabaseOperation.Read, new OperationOptions()), flow, isReplica, run: 1, rollbacks: null) with { Phase = phase };
    }

    private static RetryDecision OfRead(in AttemptFailure failed) => RetryTable.Decide(failed);
    private static RetryDecision OfWrite(in AttemptFailure failed) => RetryTable.Decide(failed with { IsReadOnly = false });
    private static RetryDecision OfTransaction(in AttemptFailure failed) => RetryTable.Decide(failed with { IsReadOnly = false, IsTransaction = true });

    [Theory]
    // Failure, connection, phase: the decision for a read, for a write by ExecuteAsync, and for a transaction before its COMMIT.
    // The server closes the connection with an error.
    [InlineData("57P01 FATAL", Broken, First, Elsewhere, Elsewhere, Elsewhere)]
    [InlineData("57P01 FATAL", Broken, Later, Elsewhere, Error, Error)]
    [InlineData("57P02 FATAL", Broken, First, Elsewhere, Unknown, Error)]
    [InlineData("57P02 FATAL", Broken, Later, Elsewhere, Unknown, Error)]
    [InlineData("57P03 FATAL", Broken, First, Elsewhere, Elsewhere, Elsewhere)]
    [InlineData("57P03 FATAL", Broken, Later, Elsewhere, Error, Error)]
    [InlineData("57P04 FATAL", Broken, First, Elsewhere, Error, Error)]
    [InlineData("57P05 FATAL", Broken, First, Here, Here, Here)]
    [InlineData("57P05 FATAL", Broken, Later, Elsewhere, Error, Error)]
    [InlineData("53300 FATAL", Broken, First, Elsewhere, Error, Error)]
    [InlineData("28P01 FATAL", Broken, First, Elsewhere, Error, Error)]
    [InlineData("3D000 FATAL", Broken, First, Elsewhere, Error, Error)]
    // A pooler reports that it lost its server, or can't log in to it.
    [InlineData("08006 FATAL", Broken, First, Elsewhere, Unknown, Error)]
    [InlineData("08006 ERROR", Broken, Later, Elsewhere, Unknown, Error)]
    [InlineData("08P01 FATAL server-conn-crashed", Broken, First, Elsewhere, Unknown, Error)]
    [InlineData("08P01 FATAL query_wait_timeout", Broken, First, Error, Unknown, Error)]
    [InlineData("08P01 FATAL server-login", Broken, First, Elsewhere, Elsewhere, Elsewhere)]
    [InlineData("08P01 FATAL server-login", Broken, Later, Elsewhere, Error, Error)]
    // Network errors and silence.
    [InlineData("reset", Broken, First, Elsewhere, Unknown, Error)]
    [InlineData("reset", Broken, Later, Elsewhere, Unknown, Error)]
    [InlineData("timeout", Open, First, Error, Error, Error)]
    [InlineData("timeout", Broken, First, Error, Unknown, Error)]
    [InlineData("hung", Open, First, Elsewhere, Unknown, Error)]
    [InlineData("hung", Open, Later, Elsewhere, Unknown, Error)]
    // Statement errors that depend on the host.
    [InlineData("40001 ERROR ProcessInterrupts", Open, First, Elsewhere, Error, NewTransaction)]
    [InlineData("40P01 ERROR ProcessInterrupts", Open, Later, Elsewhere, Error, NewTransaction)]
    [InlineData("40001 FATAL ProcessInterrupts", Broken, Later, Elsewhere, Error, NewTransaction)]
    [InlineData("25006 ERROR", Open, First, Error, Error, Error)]
    [InlineData("XX001 ERROR", Broken, Later, Once, Error, Error)]
    [InlineData("XX002 ERROR", Broken, First, Once, Error, Error)]
    [InlineData("53100 ERROR", Broken, First, Once, Error, Error)]
    [InlineData("53200 ERROR", Broken, First, Once, Error, Error)]
    [InlineData("58030 ERROR", Broken, First, Once, Error, Error)]
    [InlineData("42P01 ERROR", Open, First, Once, Error, Error)]
    [InlineData("42703 ERROR", Open, Later, Once, Error, Error)]
    [InlineData("42883 ERROR", Open, First, Once, Error, Error)]
    // Conflicts with other transactions.
    [InlineData("40001 ERROR", Open, First, Error, Error, NewTransaction)]
    [InlineData("40P01 ERROR", Open, Later, Error, Error, NewTransaction)]
    // Other statement errors. dblink passes on the code of another server, and RAISE can set any code.
    [InlineData("23505 ERROR", Open, First, Error, Error, Error)]
    [InlineData("57014 ERROR", Open, First, Error, Error, Error)]
    [InlineData("XX000 ERROR", Broken, First, Error, Error, Error)]
    [InlineData("57P01 ERROR", Broken, First, Error, Error, Error)]
    [InlineData("57P03 ERROR", Broken, First, Error, Error, Error)]
    [InlineData("57P05 ERROR", Broken, First, Error, Error, Error)]
    [InlineData("53300 ERROR", Broken, First, Error, Error, Error)]
    [InlineData("3D000 ERROR", Open, First, Error, Error, Error)]
    [InlineData("08006 ERROR", Open, First, Error, Error, Error)]
    [InlineData("08P01 ERROR", Open, First, Error, Error, Error)]
    // The caller, and other errors of its work.
    [InlineData("cancelled", Open, First, Error, Error, Error)]
    [InlineData("cancelled-given-up", Open, First, Error, InDoubt, Error)]
    [InlineData("own", Open, First, Error, Error, Error)]
    [InlineData("own", Broken, Later, Error, Error, Error)]
    [InlineData("reset", Open, First, Error, Error, Error)]
    [InlineData("exhausted", Open, Later, Error, Error, Error)]
    internal void Failed_work_has_the_expected_decision(string failure, bool isBroken, AttemptPhase phase, RetryDecision read, RetryDecision write, RetryDecision transaction)
    {
        var failed = Failed(failure, isBroken, phase);
        Assert.Equal((read, write, transaction), (OfRead(failed), OfWrite(failed), OfTransaction(failed)));
    }

    [Theory]
    [InlineData("40001 ERROR", NewTransaction)]
    [InlineData("40P01 ERROR", NewTransaction)]
    [InlineData("23505 ERROR", Error)]
    [InlineData("53200 ERROR", Error)]
    [InlineData("58030 ERROR", Error)]
    // If the work has closed the connection or ended the transaction, no COMMIT is sent.
    [InlineData("own", Error)]
    [InlineData("40001 FATAL ProcessInterrupts", Unknown)]
    [InlineData("40003 ERROR", Unknown)]
    [InlineData("08006 ERROR", Unknown)]
    [InlineData("08006 FATAL", Unknown)]
    [InlineData("57P01 FATAL", Unknown)]
    [InlineData("57P02 FATAL", Unknown)]
    [InlineData("57P03 FATAL", Unknown)]
    [InlineData("57P05 FATAL", Unknown)]
    [InlineData("reset", Unknown)]
    [InlineData("timeout", Unknown)]
    [InlineData("hung", Unknown)]
    [InlineData("cancelled-given-up", Unknown)]
    internal void A_failed_commit_has_the_expected_decision(string failure, RetryDecision decision) =>
        Assert.Equal(decision, OfTransaction(Failed(failure, Broken, AttemptPhase.Commit)));

    [Theory]
    // Failure: the decision for a read, and for a write.
    [InlineData("reset", Elsewhere, Elsewhere)]
    [InlineData("timeout", Elsewhere, Elsewhere)]
    [InlineData("hung", Elsewhere, Elsewhere)]
    [InlineData("57P03 FATAL", Elsewhere, Elsewhere)]
    [InlineData("53300 FATAL", Elsewhere, Elsewhere)]
    [InlineData("28P01 FATAL", Elsewhere, Elsewhere)]
    [InlineData("3D000 FATAL", Elsewhere, Elsewhere)]
    [InlineData("own", Elsewhere, Elsewhere)]
    [InlineData("exhausted", Elsewhere, Error)]
    [InlineData("cancelled", Error, Error)]
    [InlineData("disposed", Error, Error)]
    internal void A_failed_opening_has_the_expected_decision(string failure, RetryDecision read, RetryDecision write)
    {
        // Nothing was sent, so opening elsewhere is no retry.
        foreach (var options in new[] { new OperationOptions(), new OperationOptions { AllowRetry = false } })
        {
            Assert.Equal(read, RetryTable.Decide(AttemptFailure.OfOpening(ErrorOf(failure), AttemptOf(DatabaseOperation.Read, options))));
            Assert.Equal(write, RetryTable.Decide(AttemptFailure.OfOpening(ErrorOf(failure), AttemptOf(DatabaseOperation.Write, options))));
            Assert.Equal(write, RetryTable.Decide(AttemptFailure.OfOpening(ErrorOf(failure), AttemptOf(DatabaseOperation.Transactional, options))));
        }
    }

    [Fact]
    public void A_deadline_that_passes_during_an_opening_is_the_callers_error()
    {
        var attempt = AttemptOf(DatabaseOperation.Read, new OperationOptions { Deadline = TimeSpan.FromSeconds(1) });
        Assert.Equal(Error, RetryTable.Decide(AttemptFailure.OfOpening(attempt.Expired(null), attempt)));
    }

    [Fact]
    public void A_write_that_a_standby_refused_is_retried_if_it_was_the_first_command()
    {
        var failed = Failed("25006 ERROR", Open, First) with { IsOnStandby = true };
        Assert.Equal((Error, Elsewhere, Elsewhere), (OfRead(failed), OfWrite(failed), OfTransaction(failed)));
        failed = failed with { Phase = Later };
        Assert.Equal((Error, Error, Error), (OfRead(failed), OfWrite(failed), OfTransaction(failed)));
    }

    [Theory]
    [InlineData("57P02 FATAL")]
    [InlineData("08006 ERROR")]
    [InlineData("reset")]
    [InlineData("timeout")]
    public void The_outcome_of_a_write_that_sent_nothing_is_known(string failure) => Assert.Equal(Error, OfWrite(Failed(failure, Broken, hasSent: false)));

    [Theory]
    [InlineData("42P01 ERROR")]
    [InlineData("42703 ERROR")]
    [InlineData("42883 ERROR")]
    public void A_missing_object_on_the_primary_is_not_retried(string failure) =>
        Assert.Equal(Error, OfRead(Failed(failure, isReplica: false)));

    [Fact]
    public void A_host_specific_error_of_a_read_is_retried_once_even_after_the_last_attempt()
    {
        var failed = Failed("XX001 ERROR", Broken);
        Assert.Equal(Once, OfRead(failed with { Run = RetryTable.MaxRuns }));
        Assert.Equal(Error, OfRead(failed with { HasTriedElsewhere = true }));
    }

    [Fact]
    public void A_second_recovery_conflict_is_the_callers_error()
    {
        var failed = Failed("40001 ERROR ProcessInterrupts") with { Run = 2 };
        Assert.Equal(Elsewhere, OfRead(failed));
        Assert.Equal(Error, OfRead(failed with { Conflicts = 1 }));
    }

    [Fact]
    public void A_read_is_retried_after_any_number_of_hung_hosts_but_only_two_other_failures()
    {
        Assert.Equal(Elsewhere, OfRead(Failed("reset", Broken) with { Run = 2 }));
        Assert.Equal(Error, OfRead(Failed("reset", Broken) with { Run = 3 }));
        Assert.Equal(Elsewhere, OfRead(Failed("hung") with { Run = 30 }));
    }

    [Fact]
    public void A_transaction_is_retried_after_at_most_five_rollbacks()
    {
        foreach (var phase in new[] { Later, AttemptPhase.Commit })
        {
            var failed = Failed("40001 ERROR", Open, phase);
            Assert.Equal(NewTransaction, OfTransaction(failed with { Rollbacks = 4 }));
            Assert.Equal(Error, OfTransaction(failed with { Rollbacks = 5 }));
            Assert.Equal(Error, OfTransaction(failed with { MayRetry = false }));
        }
    }

    [Fact]
    public void Without_budget_only_idle_time_outs_and_rollbacks_are_retried()
    {
        Assert.Equal(Error, OfRead(Failed("reset", Broken) with { IsBudgetSpent = true }));
        Assert.Equal(Error, OfRead(Failed("hung") with { IsBudgetSpent = true }));
        Assert.Equal(Error, OfRead(Failed("XX001 ERROR", Broken) with { IsBudgetSpent = true }));
        Assert.Equal(Error, OfWrite(Failed("57P01 FATAL", Broken, First) with { IsBudgetSpent = true }));
        Assert.Equal(Here, OfWrite(Failed("57P05 FATAL", Broken, First) with { IsBudgetSpent = true }));
        Assert.Equal(NewTransaction, OfTransaction(Failed("40001 ERROR") with { IsBudgetSpent = true }));
    }

    /// <summary>The transactional route can be configured as read-only. Its work counts as a read until COMMIT.</summary>
    [Fact]
    public void A_read_only_transaction_is_retried_like_a_read_until_COMMIT()
    {
        static RetryDecision Decide(in AttemptFailure failed) => RetryTable.Decide(failed with { IsTransaction = true });
        Assert.Equal(Elsewhere, Decide(Failed("reset", Broken)));
        Assert.Equal(Once, Decide(Failed("XX001 ERROR", Broken)));
        Assert.Equal(Elsewhere, Decide(Failed("40001 ERROR ProcessInterrupts")));
        Assert.Equal(NewTransaction, Decide(Failed("40001 ERROR ProcessInterrupts") with { Conflicts = 1 }));
        Assert.Equal(Unknown, Decide(Failed("reset", Broken, AttemptPhase.Commit)));
    }

    [Fact]
    public void A_failed_attempt_takes_its_facts_from_its_operation_and_its_flow()
    {
        var attempt = AttemptOf(DatabaseOperation.Transactional, new OperationOptions { AllowRetry = false });
        attempt.Exclude(_topology.Configuration.Hosts[0], ErrorOf("reset"), 0).Conflicts = 1;
        var flow = new CommandFlow();
        Assert.Equal(Later, AttemptFailure.OfWork(ErrorOf("reset"), attempt, flow, false, 2, 3).Phase);
        flow.CommandStarted();
        flow.Sent(10);
        flow.CommandEnded();
        var first = AttemptFailure.OfWork(ErrorOf("reset"), attempt, flow, false, 2, 3);
        Assert.Equal((First, true, true, false, 2, 1, 3), (first.Phase, flow.HasSent, first.IsTransaction, first.MayRetry, first.Run, first.Conflicts, first.Rollbacks));
        Assert.False(AttemptFailure.OfWork(ErrorOf("reset"), attempt, flow, false, 2, null).IsTransaction);
        flow.BeginCommit(TransactionMark.None);
        Assert.Equal(AttemptPhase.Commit, AttemptFailure.OfWork(ErrorOf("reset"), attempt, flow, false, 2, 3).Phase);
    }

    private Attempt AttemptOf(DatabaseOperation operation, OperationOptions options) => new(_topology.Configuration.PlanOf(operation), options, null, _topology.Time);

    private static Exception ErrorOf(string failure) => failure.Split(' ') switch
    {
        ["reset"] => new NpgsqlException("Exception while reading from stream", new IOException("read", new SocketException((int)SocketError.ConnectionReset))),
        ["timeout"] => new NpgsqlException("Exception while reading from stream", new TimeoutException()),
        ["hung"] => new HostLostException("lost"),
        ["exhausted"] => new NpgsqlException("The connection pool has been exhausted", new TimeoutException()),
        ["cancelled"] or ["cancelled-given-up"] => new OperationCanceledException(),
        ["disposed"] => new ObjectDisposedException("router"),
        ["own"] => new InvalidOperationException("of the work itself"),
        [var state, var severity] => new PostgresException("", severity, severity, state),
        // PgBouncer uses this one code for all its own errors; only the message distinguishes them.
        ["08P01", var severity, var words] => new PostgresException(words.Replace('-', ' '), severity, severity, PostgresErrorCodes.ProtocolViolation),
        [var state, var severity, var routine] => new PostgresException("", severity, severity, state, routine: routine),
        _ => throw new InvalidOperationException(failure),
    };
}
