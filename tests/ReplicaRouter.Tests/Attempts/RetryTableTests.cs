using System.Net.Sockets;
using Npgsql;

namespace ReplicaRouter.Tests.Attempts;

/// <summary>What becomes of work that failed, for each failure, phase and route.</summary>
public class RetryTableTests
{
    private const bool Broken = true;
    private const bool Open = false;

    private const TryPhase First = TryPhase.FirstCommand;
    private const TryPhase Later = TryPhase.Work;

    private const RetryDecision Error = RetryDecision.CallersError;
    private const RetryDecision Here = RetryDecision.AgainHere;
    private const RetryDecision Elsewhere = RetryDecision.AgainElsewhere;
    private const RetryDecision Once = RetryDecision.AgainOnceElsewhere;
    private const RetryDecision NewTransaction = RetryDecision.AgainInNewTransaction;
    private const RetryDecision InDoubt = RetryDecision.CancelledInDoubt;
    private const RetryDecision Unknown = RetryDecision.UnknownOutcome;

    private readonly TestTopology _topology = new("primary", "background");

    /// <summary>A run of work on a host that was last seen as a replica, in which something was sent. The first run, and the caller lets it be run again.</summary>
    private FailedTry Failed(string error, bool isBroken = Open, TryPhase phase = Later, bool isReplica = true, bool hasSent = true)
    {
        var flow = new CommandFlow { IsBroken = isBroken };
        if (hasSent) flow.Sent(10);
        if (error is "hung" or "cancelled-given-up") flow.GiveUp();
        return FailedTry.OfWork(ErrorOf(error), AttemptOf(DatabaseOperation.Read, new OperationOptions()), flow, isReplica, run: 1, rollbacks: null) with { Phase = phase };
    }

    private static RetryDecision OfRead(in FailedTry failed) => RetryTable.Decide(failed);
    private static RetryDecision OfWrite(in FailedTry failed) => RetryTable.Decide(failed with { IsReadOnly = false });
    private static RetryDecision OfTransaction(in FailedTry failed) => RetryTable.Decide(failed with { IsReadOnly = false, IsTransaction = true });

    [Theory]
    // Failure, connection, phase: what becomes of a read, of a write by ExecuteAsync, of a transaction before its COMMIT.
    // The server ends the connection, and says so.
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
    // A pooler answers for a server that it has lost, or that it can't log in to.
    [InlineData("08006 FATAL", Broken, First, Elsewhere, Unknown, Error)]
    [InlineData("08006 ERROR", Broken, Later, Elsewhere, Unknown, Error)]
    [InlineData("08P01 FATAL server-conn-crashed", Broken, First, Elsewhere, Unknown, Error)]
    [InlineData("08P01 FATAL query_wait_timeout", Broken, First, Error, Unknown, Error)]
    [InlineData("08P01 FATAL server-login", Broken, First, Elsewhere, Elsewhere, Elsewhere)]
    [InlineData("08P01 FATAL server-login", Broken, Later, Elsewhere, Error, Error)]
    // The network, or silence.
    [InlineData("reset", Broken, First, Elsewhere, Unknown, Error)]
    [InlineData("reset", Broken, Later, Elsewhere, Unknown, Error)]
    [InlineData("timeout", Open, First, Error, Error, Error)]
    [InlineData("timeout", Broken, First, Error, Unknown, Error)]
    [InlineData("hung", Open, First, Elsewhere, Unknown, Error)]
    [InlineData("hung", Open, Later, Elsewhere, Unknown, Error)]
    // Errors of statements that say something of the host.
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
    // Other transactions.
    [InlineData("40001 ERROR", Open, First, Error, Error, NewTransaction)]
    [InlineData("40P01 ERROR", Open, Later, Error, Error, NewTransaction)]
    // Errors of statements. Some have the code of another server, as dblink passes it on, or one that RAISE was given.
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
    // The caller, and what else its work does.
    [InlineData("cancelled", Open, First, Error, Error, Error)]
    [InlineData("cancelled-given-up", Open, First, Error, InDoubt, Error)]
    [InlineData("own", Open, First, Error, Error, Error)]
    [InlineData("own", Broken, Later, Error, Error, Error)]
    [InlineData("reset", Open, First, Error, Error, Error)]
    [InlineData("exhausted", Open, Later, Error, Error, Error)]
    internal void Of_work_that_failed(string failure, bool isBroken, TryPhase phase, RetryDecision read, RetryDecision write, RetryDecision transaction)
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
    // COMMIT of a connection that the work has closed, or of a transaction that it has ended, sends nothing.
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
    internal void Of_a_commit_that_failed(string failure, RetryDecision decision) =>
        Assert.Equal(decision, OfTransaction(Failed(failure, Broken, TryPhase.Commit)));

    [Theory]
    // Failure: what becomes of a read, and of a write.
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
    internal void Of_an_opening_that_failed(string failure, RetryDecision read, RetryDecision write)
    {
        // Nothing was sent: to open elsewhere is no retry.
        foreach (var options in new[] { new OperationOptions(), new OperationOptions { AllowRetry = false } })
        {
            Assert.Equal(read, RetryTable.Decide(FailedTry.OfOpening(ErrorOf(failure), AttemptOf(DatabaseOperation.Read, options))));
            Assert.Equal(write, RetryTable.Decide(FailedTry.OfOpening(ErrorOf(failure), AttemptOf(DatabaseOperation.Write, options))));
            Assert.Equal(write, RetryTable.Decide(FailedTry.OfOpening(ErrorOf(failure), AttemptOf(DatabaseOperation.Transactional, options))));
        }
    }

    [Fact]
    public void A_deadline_that_passes_during_an_opening_is_the_callers()
    {
        var attempt = AttemptOf(DatabaseOperation.Read, new OperationOptions { Deadline = TimeSpan.FromSeconds(1) });
        Assert.Equal(Error, RetryTable.Decide(FailedTry.OfOpening(attempt.Expired(null), attempt)));
    }

    [Fact]
    public void A_write_that_a_standby_refused_is_run_again_if_that_was_its_first_command()
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
    public void What_the_primary_does_not_have_no_host_has(string failure) =>
        Assert.Equal(Error, OfRead(Failed(failure, isReplica: false)));

    [Fact]
    public void A_read_with_an_error_that_its_host_alone_may_have_is_run_once_more_whatever_number_of_hosts_failed_it_before()
    {
        var failed = Failed("XX001 ERROR", Broken);
        Assert.Equal(Once, OfRead(failed with { Run = RetryTable.MaxRuns }));
        Assert.Equal(Error, OfRead(failed with { HasTriedElsewhere = true }));
    }

    [Fact]
    public void A_second_recovery_conflict_is_the_callers()
    {
        var failed = Failed("40001 ERROR ProcessInterrupts") with { Run = 2 };
        Assert.Equal(Elsewhere, OfRead(failed));
        Assert.Equal(Error, OfRead(failed with { Conflicts = 1 }));
    }

    [Fact]
    public void A_read_is_moved_off_any_number_of_lost_hosts_and_run_three_times_in_all_where_hosts_fail_it()
    {
        Assert.Equal(Elsewhere, OfRead(Failed("reset", Broken) with { Run = 2 }));
        Assert.Equal(Error, OfRead(Failed("reset", Broken) with { Run = 3 }));
        Assert.Equal(Elsewhere, OfRead(Failed("hung") with { Run = 30 }));
    }

    [Fact]
    public void A_transaction_is_run_again_after_five_rollbacks_at_most()
    {
        foreach (var phase in new[] { Later, TryPhase.Commit })
        {
            var failed = Failed("40001 ERROR", Open, phase);
            Assert.Equal(NewTransaction, OfTransaction(failed with { Rollbacks = 4 }));
            Assert.Equal(Error, OfTransaction(failed with { Rollbacks = 5 }));
            Assert.Equal(Error, OfTransaction(failed with { MayRetry = false }));
        }
    }

    [Fact]
    public void Without_budget_no_host_that_failed_costs_another_run_and_idle_connections_and_rollbacks_still_do()
    {
        Assert.Equal(Error, OfRead(Failed("reset", Broken) with { IsBudgetSpent = true }));
        Assert.Equal(Error, OfRead(Failed("hung") with { IsBudgetSpent = true }));
        Assert.Equal(Error, OfRead(Failed("XX001 ERROR", Broken) with { IsBudgetSpent = true }));
        Assert.Equal(Error, OfWrite(Failed("57P01 FATAL", Broken, First) with { IsBudgetSpent = true }));
        Assert.Equal(Here, OfWrite(Failed("57P05 FATAL", Broken, First) with { IsBudgetSpent = true }));
        Assert.Equal(NewTransaction, OfTransaction(Failed("40001 ERROR") with { IsBudgetSpent = true }));
    }

    /// <summary>The route of transactions can be made read-only. Until COMMIT its work is a read then.</summary>
    [Fact]
    public void A_read_only_transaction_is_moved_as_a_read_is()
    {
        static RetryDecision Decide(in FailedTry failed) => RetryTable.Decide(failed with { IsTransaction = true });
        Assert.Equal(Elsewhere, Decide(Failed("reset", Broken)));
        Assert.Equal(Once, Decide(Failed("XX001 ERROR", Broken)));
        Assert.Equal(Elsewhere, Decide(Failed("40001 ERROR ProcessInterrupts")));
        Assert.Equal(NewTransaction, Decide(Failed("40001 ERROR ProcessInterrupts") with { Conflicts = 1 }));
        Assert.Equal(Unknown, Decide(Failed("reset", Broken, TryPhase.Commit)));
    }

    [Fact]
    public void What_work_has_done_is_taken_from_its_operation_and_its_flow()
    {
        var attempt = AttemptOf(DatabaseOperation.Transactional, new OperationOptions { AllowRetry = false });
        attempt.Exclude(_topology.Configuration.Hosts[0], ErrorOf("reset"), 0).Conflicts = 1;
        var flow = new CommandFlow();
        Assert.Equal(Later, FailedTry.OfWork(ErrorOf("reset"), attempt, flow, false, 2, 3).Phase);
        flow.CommandStarted();
        flow.Sent(10);
        flow.CommandEnded();
        var first = FailedTry.OfWork(ErrorOf("reset"), attempt, flow, false, 2, 3);
        Assert.Equal((First, true, true, false, 2, 1, 3), (first.Phase, flow.HasSent, first.IsTransaction, first.MayRetry, first.Run, first.Conflicts, first.Rollbacks));
        Assert.False(FailedTry.OfWork(ErrorOf("reset"), attempt, flow, false, 2, null).IsTransaction);
        flow.BeginCommit(TransactionMark.None);
        Assert.Equal(TryPhase.Commit, FailedTry.OfWork(ErrorOf("reset"), attempt, flow, false, 2, 3).Phase);
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
        // PgBouncer has one code for all that it says itself, and words.
        ["08P01", var severity, var words] => new PostgresException(words.Replace('-', ' '), severity, severity, PostgresErrorCodes.ProtocolViolation),
        [var state, var severity, var routine] => new PostgresException("", severity, severity, state, routine: routine),
        _ => throw new InvalidOperationException(failure),
    };
}
