namespace ReplicaRouter.Tests.Execution;

public class OutcomeResolverTests
{
    private static readonly TransactionMark s_wroteNothing = new(null, new PrimaryFacts(new WalPosition(TestTopology.Cluster, 1, 100), null, null));

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>The resolver has nothing to open a connection with.</summary>
    [Fact]
    public async Task An_outcome_that_is_already_known_takes_no_connection()
    {
        var topology = new TestTopology("primary");
        var resolver = new OutcomeResolver(topology.Configuration, new TopologyStore(topology.Current, topology.Time), null!, topology.Time);
        Assert.Equal(TransactionOutcome.RolledBack, await resolver.ResolveAsync(s_wroteNothing, null, Ct));
        Assert.Equal(TransactionOutcome.RolledBack, await resolver.ResolveInTimeAsync(s_wroteNothing, null, Ct));
        Assert.Equal(TransactionOutcome.Unknown, await resolver.ResolveAsync(TransactionMark.None, null, Ct));
    }
}
