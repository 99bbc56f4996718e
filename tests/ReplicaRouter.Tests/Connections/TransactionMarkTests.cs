using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Connections;

public class TransactionMarkTests
{
    private static readonly HostAnswer Server = Primary(100) with { StartedAt = 5 };
    private static readonly TransactionMark Mark = new(7, 1000, Server.Server, 3);

    [Fact]
    public void The_server_that_ran_it_knows_it() => Assert.Null(Mark.JudgedBy(Server));

    /// <summary>Where a new primary's, or a restarted one's, recovery ended tells whether what the transaction wrote has survived.</summary>
    [Theory]
    [InlineData(4, 1001UL, null)]
    [InlineData(4, 1000UL, TransactionOutcome.RolledBack)]
    [InlineData(3, 2000UL, null)]
    [InlineData(3, 900UL, TransactionOutcome.RolledBack)]
    [InlineData(5, 2000UL, TransactionOutcome.Unknown)]
    [InlineData(2, 2000UL, TransactionOutcome.Unknown)]
    [InlineData(4, null, TransactionOutcome.Unknown)]
    public void Another_one_may_know_another_transaction_by_its_id(int timeline, ulong? recovered, TransactionOutcome? outcome) =>
        Assert.Equal(outcome, Mark.JudgedBy(Server with { StartedAt = 6, Timeline = timeline, ReplayLsn = recovered }));

    [Fact]
    public void Another_cluster_knows_nothing() => Assert.Equal(TransactionOutcome.Unknown, Mark.JudgedBy(Server with { SystemIdentifier = 1 }));

    [Fact]
    public void Without_an_id_nothing_can_be_asked() => Assert.Equal(TransactionOutcome.Unknown, TransactionMark.None.JudgedBy(Server));
}
