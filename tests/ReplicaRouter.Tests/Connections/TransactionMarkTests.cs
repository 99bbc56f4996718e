using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Connections;

public class TransactionMarkTests
{
    private static readonly HostAnswer Server = Primary(100) with { StartedAt = 5 };
    private static readonly TransactionMark Mark = new(7, 1000, Server.Server, 3);

    [Fact]
    public void The_server_that_ran_it_knows_it() => Assert.Null(Mark.JudgedBy(Server, TimelineHistory.Empty));

    /// <summary>Where the old timeline ended tells whether what the transaction wrote has survived; where that was not seen, nothing does.</summary>
    [Theory]
    [InlineData(4, 1001UL, null)]
    [InlineData(4, 1000UL, TransactionOutcome.RolledBack)]
    [InlineData(4, null, TransactionOutcome.Unknown)]
    [InlineData(3, 2000UL, TransactionOutcome.Unknown)]
    [InlineData(5, 2000UL, TransactionOutcome.Unknown)]
    public void Another_one_may_know_another_transaction_by_its_id(int timeline, ulong? fork, TransactionOutcome? outcome)
    {
        var standby = Replica(900, timeline: 3) with { StartedAt = 6 };
        var history = fork is { } end ? TimelineHistory.Empty.With(standby, standby with { IsInRecovery = false, Timeline = 4, ReplayTimeline = 4, ReplayLsn = end }) : TimelineHistory.Empty;
        Assert.Equal(outcome, Mark.JudgedBy(Server with { StartedAt = 6, Timeline = timeline }, history));
    }

    [Fact]
    public void Another_cluster_knows_nothing() => Assert.Equal(TransactionOutcome.Unknown, Mark.JudgedBy(Server with { SystemIdentifier = 1 }, TimelineHistory.Empty));

    [Fact]
    public void Without_an_id_nothing_can_be_asked() => Assert.Equal(TransactionOutcome.Unknown, TransactionMark.None.JudgedBy(Server, TimelineHistory.Empty));
}
