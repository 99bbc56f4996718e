using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Attempts;

public class TransactionMarkTests
{
    private static readonly (DateTime, DateTime) Run = (new DateTime(1), new DateTime(2));
    private static readonly (DateTime, DateTime) Later = (new DateTime(1), new DateTime(3));
    private static readonly TransactionMark Mark = new(7, new PrimaryFacts(new WalPosition(10, 3, 1000), 500, Run));

    /// <summary>Until the server crashes, an id belongs to one transaction. After a crash, ids that no flushed WAL record contains can be reused.</summary>
    [Theory]
    [InlineData("committed", TransactionOutcome.Committed, TransactionOutcome.Unknown)]
    [InlineData("aborted", TransactionOutcome.RolledBack, TransactionOutcome.RolledBack)]
    [InlineData("in progress", null, null)]
    [InlineData(null, TransactionOutcome.Unknown, TransactionOutcome.Unknown)]
    public void The_same_server_knows_the_outcome_unless_it_has_crashed_since(string? status, TransactionOutcome? inTheSameRun, TransactionOutcome? inALaterRun)
    {
        Assert.Equal(inTheSameRun, Mark.JudgedBy(status, Now(3, 500, Run), TimelineHistory.Empty));
        Assert.Equal(inALaterRun, Mark.JudgedBy(status, Now(3, 1100, Later), TimelineHistory.Empty));
    }

    /// <summary>The end of the old timeline shows whether the transaction's writes survived. If the end was not observed, the status "committed" proves nothing.</summary>
    [Theory]
    [InlineData(4, 1000UL, 1000UL, "committed", TransactionOutcome.RolledBack)]
    [InlineData(4, 1000UL, 1000UL, "in progress", TransactionOutcome.RolledBack)]
    [InlineData(4, 999UL, null, "committed", TransactionOutcome.RolledBack)]
    [InlineData(5, 1000UL, null, "committed", TransactionOutcome.RolledBack)]
    [InlineData(4, 1001UL, 1001UL, "committed", TransactionOutcome.Committed)]
    [InlineData(4, null, 1001UL, "committed", TransactionOutcome.Committed)]
    [InlineData(4, 1001UL, 1001UL, "aborted", TransactionOutcome.RolledBack)]
    [InlineData(4, 1001UL, 1001UL, "in progress", null)]
    [InlineData(4, 1001UL, 1001UL, null, TransactionOutcome.Unknown)]
    [InlineData(4, 1001UL, null, "committed", TransactionOutcome.Unknown)]
    [InlineData(4, 1001UL, 1000UL, "committed", TransactionOutcome.Unknown)]
    [InlineData(4, 1001UL, null, "aborted", TransactionOutcome.RolledBack)]
    [InlineData(5, 1001UL, 1001UL, "committed", TransactionOutcome.Unknown)]
    [InlineData(5, 1001UL, 1001UL, "aborted", TransactionOutcome.RolledBack)]
    [InlineData(2, 1001UL, null, "aborted", TransactionOutcome.Unknown)]
    public void After_a_failover_the_end_of_the_old_timeline_decides_the_outcome(int timeline, ulong? recoveryEnd, ulong? fork, string? status, TransactionOutcome? outcome)
    {
        var standby = Replica(900, timeline: 3) with { StartedAt = 6 };
        var history = fork is { } end ? TimelineHistory.Empty.With(standby, standby with { IsInRecovery = false, Timeline = 4, ReplayTimeline = 4, ReplayLsn = end }) : TimelineHistory.Empty;
        Assert.Equal(outcome, Mark.JudgedBy(status, Now(timeline, recoveryEnd, Later), history));
    }

    [Fact]
    public void Another_cluster_does_not_know_the_outcome() =>
        Assert.Equal(TransactionOutcome.Unknown, Mark.JudgedBy("aborted", Now(3, 500, Run) with { Position = new WalPosition(11, 3, 2000) }, TimelineHistory.Empty));

    [Fact]
    public void An_unknown_server_run_is_not_the_same_run() =>
        Assert.Equal(TransactionOutcome.Unknown, (Mark with { Facts = Mark.Facts with { Run = null } }).JudgedBy("committed", Now(3, 500, null), TimelineHistory.Empty));

    [Fact]
    public void A_transaction_that_wrote_nothing_counts_as_rolled_back() => Assert.Equal(TransactionOutcome.RolledBack, (Mark with { Id = null }).Known);

    [Fact]
    public void Without_a_position_the_outcome_is_unknown()
    {
        Assert.Equal(TransactionOutcome.Unknown, TransactionMark.None.Known);
        Assert.Null(Mark.Known);
    }

    private static PrimaryFacts Now(int timeline, ulong? recoveryEnd, (DateTime, DateTime)? run) => new(new WalPosition(10, timeline, 2000), recoveryEnd, run);
}
