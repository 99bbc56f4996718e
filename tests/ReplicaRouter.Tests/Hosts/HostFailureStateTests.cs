using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Hosts;

/// <summary>The state of a host after a failure, depending on what was observed before.</summary>
public class HostFailureStateTests
{
    private static TestTopology Healthy() => new TestTopology("primary", "analytics").Answer("primary", Primary(100)).Answer("analytics", Replica(100));

    [Theory]
    [InlineData(FailureKind.Unreachable, HostState.Down)]
    [InlineData(FailureKind.Timeout, HostState.Hung)]
    [InlineData(FailureKind.Hung, HostState.Hung)]
    [InlineData(FailureKind.None, HostState.Down)]
    [InlineData(FailureKind.Terminated, HostState.Restarting)]
    [InlineData(FailureKind.NoPassword, HostState.Down)]
    [InlineData(FailureKind.Full, HostState.Full)]
    internal void A_host_that_has_never_answered_is_not_in_doubt_but_out(FailureKind failure, HostState state)
    {
        var topology = new TestTopology("primary").Fail("primary", failure);
        Assert.Equal((state, HostRole.Unknown, false), (topology["primary"].State, topology["primary"].Role, topology["primary"].IsServing));
        Assert.Equal(failure.ToString(), topology["primary"].Error);
    }

    [Theory]
    [InlineData(FailureKind.Timeout, HostState.Hung)]
    [InlineData(FailureKind.None, HostState.Down)]
    internal void Two_missed_probes_in_a_row_take_a_host_out(FailureKind failure, HostState state)
    {
        var topology = Healthy().Fail("analytics", failure);
        Assert.Equal(HostState.Suspect, topology["analytics"].State);
        Assert.Equal(HostState.Healthy, topology.Advance(1).Answer("analytics", Replica(100))["analytics"].State);
        // The answer in between begins a new count.
        Assert.Equal(HostState.Suspect, topology.Advance(1).Fail("analytics", failure)["analytics"].State);
        Assert.Equal(state, topology.Advance(1).Fail("analytics", failure)["analytics"].State);
    }

    [Fact]
    public void A_time_out_during_the_recovery_takes_a_host_out_at_once()
    {
        var topology = Healthy().Fail("analytics", FailureKind.Unreachable).Advance(1).Answer("analytics", Replica(100));
        Assert.Equal(HostState.Recovering, topology["analytics"].State);
        Assert.Equal(HostState.Hung, topology.Advance(1).Fail("analytics", FailureKind.Timeout)["analytics"].State);
    }

    [Fact]
    public void A_host_is_unknown_until_its_first_probe_ends()
    {
        var host = new TestTopology("primary")["primary"];
        Assert.Equal((HostState.Unknown, HostRole.Unknown, false), (host.State, host.Role, host.IsSettled));
    }

    [Fact]
    public void A_replica_of_unknown_lag_is_settled_after_five_probes()
    {
        var topology = new TestTopology("primary", "analytics").Answer("primary", Primary(200));
        for (var probe = 0; probe < 4; probe++) topology.Advance(1).Answer("analytics", Replica(100));
        Assert.Equal((HostState.LagUnknown, false), (topology["analytics"].State, topology.Current.IsSettled));
        topology.Advance(1).Answer("analytics", Replica(100));
        Assert.Equal((HostState.LagUnknown, true), (topology["analytics"].State, topology.Current.IsSettled));
    }

    [Theory]
    [InlineData(false, HostState.Full, FailureKind.Full)]
    [InlineData(false, HostState.NoLogins, FailureKind.Timeout)]
    [InlineData(true, HostState.Healthy, FailureKind.Full)]
    internal void The_newest_login_shows_whether_a_host_admits_more(bool succeeds, HostState state, FailureKind failure)
    {
        var topology = Healthy();
        topology.Change(current => current.WithLogin(1, new HostFailure(failure, "refused"), topology.Time.GetTimestamp(), topology.Time)).Advance(1);
        if (succeeds) topology.Change(current => current.WithLogin(1, null, topology.Time.GetTimestamp(), topology.Time));
        Assert.Equal((state, succeeds ? null : "refused"), (topology["analytics"].State, topology["analytics"].Error));
        Assert.Equal(!succeeds, topology["analytics"].IsWarmOnly);
    }

    [Theory]
    [InlineData("command line", "command line")]
    [InlineData("user", "user 'app' in database 'app'")]
    [InlineData("user", "10.0.0.1:5432")]
    public void The_error_of_a_read_only_primary_names_what_is_read_only(string source, string expected) =>
        Assert.Contains(expected, Healthy().Advance(1).Answer("primary", Primary(101) with { ReadOnlyBy = source })["primary"].Error, StringComparison.Ordinal);

    [Fact]
    public void A_read_only_standby_is_healthy() =>
        Assert.Equal(HostState.Healthy, Healthy().Advance(1).Answer("analytics", Replica(100) with { ReadOnlyBy = "user" })["analytics"].State);

    [Fact]
    public void A_read_only_primary_still_shows_the_positions_of_all_earlier_work()
    {
        var topology = Healthy().Advance(1).Answer("primary", Primary(101) with { ReadOnlyBy = "user" });
        Assert.Equal(0b01UL, topology.Current.WitnessesFor(0b10, isAcrossTimelines: false));
    }

    /// <summary>A host that was full, or late once, was never out.</summary>
    [Theory]
    [InlineData(FailureKind.Unreachable, HostState.Recovering)]
    [InlineData(FailureKind.NameUnknown, HostState.Recovering)]
    [InlineData(FailureKind.Hung, HostState.Recovering)]
    [InlineData(FailureKind.Restarting, HostState.Recovering)]
    [InlineData(FailureKind.Misconfigured, HostState.Recovering)]
    [InlineData(FailureKind.Full, HostState.Healthy)]
    [InlineData(FailureKind.Timeout, HostState.Healthy)]
    internal void A_replica_that_answers_again_must_prove_itself_if_it_was_out(FailureKind failure, HostState state) =>
        Assert.Equal(state, Healthy().Advance(1).Fail("analytics", failure).Advance(1).Answer("analytics", Replica(100))["analytics"].State);
}
