using Npgsql;
using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Attempts;

/// <summary>What an operation asks of its route, and of the hosts that it has not tried yet.</summary>
public class AttemptRequestTests
{
    private readonly TestTopology _topology = new("primary", "analytics", "background");
    private readonly SessionState _session;

    public AttemptRequestTests()
    {
        _session = new SessionState(_topology.Time);
        _topology.Answer("primary", Primary(100)).Answer("analytics", Replica(100)).Answer("background", Replica(100));
    }

    private HostConfiguration this[string host] => _topology[host].Configuration;

    private Attempt NewAttempt(DatabaseOperation operation, OperationOptions? options = null, SessionState? session = null) =>
        new(_topology.Configuration.PlanOf(operation), options, session, _topology.Time);

    [Theory]
    [InlineData(DatabaseOperation.Read, null, true)]
    [InlineData(DatabaseOperation.Read, Consistency.Session, true)]
    [InlineData(DatabaseOperation.Read, Consistency.Strong, true)]
    [InlineData(DatabaseOperation.Read, Consistency.Eventual, false)]
    [InlineData(DatabaseOperation.Write, Consistency.Eventual, true)]
    public void Only_an_eventual_read_is_outside_of_its_session(DatabaseOperation operation, Consistency? consistency, bool isBound)
    {
        var attempt = NewAttempt(operation, new OperationOptions { Consistency = consistency }, _session);
        Assert.Equal(isBound, attempt.Session is not null);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void A_limit_of_zero_or_less_is_refused(int seconds)
    {
        var limit = TimeSpan.FromSeconds(seconds);
        Assert.Throws<ArgumentOutOfRangeException>(() => NewAttempt(DatabaseOperation.Read, new OperationOptions { MaxLag = limit }));
        Assert.Throws<ArgumentOutOfRangeException>(() => NewAttempt(DatabaseOperation.Read, new OperationOptions { Deadline = limit }));
    }

    [Theory]
    [InlineData(DatabaseOperation.Read, true, null, true)]
    [InlineData(DatabaseOperation.Read, null, null, false)]
    [InlineData(DatabaseOperation.Read, false, null, false)]
    [InlineData(DatabaseOperation.Read, true, false, false)]
    [InlineData(DatabaseOperation.Write, true, null, false)]
    public void A_read_that_may_be_retried_is_hedged_if_the_call_asks_for_it(DatabaseOperation operation, bool? allowHedging, bool? allowRetry, bool mayHedge) =>
        Assert.Equal(mayHedge, NewAttempt(operation, new OperationOptions { AllowHedging = allowHedging, AllowRetry = allowRetry }).MayHedge);

    [Fact]
    public void An_operation_is_plain_as_long_as_it_asks_for_nothing_beyond_its_route()
    {
        Assert.True(NewAttempt(DatabaseOperation.Read).IsPlain);
        Assert.True(NewAttempt(DatabaseOperation.Read, new OperationOptions { AllowRetry = false, Deadline = TimeSpan.FromSeconds(1) }).IsPlain);
        Assert.False(NewAttempt(DatabaseOperation.Read, new OperationOptions { MaxLag = TimeSpan.FromSeconds(1) }).IsPlain);
        Assert.False(NewAttempt(DatabaseOperation.Read, new OperationOptions { Consistency = Consistency.Eventual }).IsPlain);
        Assert.False(NewAttempt(DatabaseOperation.Read, new OperationOptions { Labels = ["zone=a"] }).IsPlain);
        Assert.False(NewAttempt(DatabaseOperation.Read, session: _session).IsPlain);
        Assert.False(NewAttempt(DatabaseOperation.Read).Hedge(_topology.Time).IsPlain);
        var failed = NewAttempt(DatabaseOperation.Read);
        failed.Exclude(this["analytics"], new IOException(), 0);
        Assert.False(failed.IsPlain);
    }

    [Fact]
    public void A_hedge_leaves_out_the_host_of_its_first_run_and_all_that_failed_it()
    {
        var first = NewAttempt(DatabaseOperation.Read);
        first.Host = this["analytics"];
        first.Exclude(this["background"], new IOException(), 0);
        var hedge = first.Hedge(_topology.Time);
        var request = hedge.Request(default, _topology.Time);
        Assert.Equal((0b110UL, true, true), (request.Excluded, request.IsHedge, hedge.IsHedge));
        Assert.Equal(TimeSpan.Zero, hedge.RemainingWait(_topology.Time, TimeSpan.FromSeconds(9)));
        Assert.False(first.IsHedge);
    }

    [Fact]
    public void The_replica_of_the_session_is_preferred_to_the_one_that_was_waited_for()
    {
        var attempt = NewAttempt(DatabaseOperation.Read);
        Assert.Equal(0UL, attempt.Request(default, _topology.Time).Preferred);
        attempt.Wait.Awaited = 0b100;
        Assert.Equal(0b100UL, attempt.Request(default, _topology.Time).Preferred);
        Assert.Equal(0b010UL, attempt.Request(new ReadRequirement { Affinity = 0b010 }, _topology.Time).Preferred);
    }

    [Theory]
    [InlineData(DatabaseOperation.Read, null, true, true)]
    [InlineData(DatabaseOperation.Read, null, false, false)]
    [InlineData(DatabaseOperation.Read, Consistency.Strong, true, false)]
    [InlineData(DatabaseOperation.Write, null, true, false)]
    public void A_recent_write_keeps_the_reads_of_its_session_on_the_primary(DatabaseOperation operation, Consistency? consistency, bool isWriteRecent, bool isKept)
    {
        var attempt = NewAttempt(operation, new OperationOptions { Consistency = consistency });
        Assert.Equal(isKept, attempt.Request(new ReadRequirement { IsWriteRecent = isWriteRecent }, _topology.Time).IsKeptOnPrimary);
    }

    [Fact]
    public void A_request_carries_the_position_and_the_limits_of_its_operation()
    {
        var floor = new WalPosition(Cluster, 1, 90);
        var attempt = NewAttempt(DatabaseOperation.Read, new OperationOptions { MaxLag = TimeSpan.FromSeconds(2), Labels = ["zone=a"], Consistency = Consistency.Strong });
        var request = attempt.Request(new ReadRequirement { Floor = floor }, _topology.Time);
        Assert.Equal((floor, _topology.Time.Ticks(TimeSpan.FromSeconds(2)), true), (request.Floor, request.MaxLag, request.IsStrong));
        Assert.Equal("zone=a", Assert.Single(request.Labels));
    }

    [Fact]
    public void A_call_can_ask_for_less_than_a_strong_route_gives()
    {
        var topology = new TestTopology(options => options.Routes["report"] = new DatabaseRouteOptions { Groups = { "primary" }, Consistency = Consistency.Strong }, "primary");
        var plan = topology.Configuration.PlanOf("report");
        Assert.True(RouteRequest.For(plan, null, topology.Time).IsStrong);
        Assert.False(RouteRequest.For(plan, new OperationOptions { Consistency = Consistency.Eventual }, topology.Time).IsStrong);
    }

    [Fact]
    public void A_transaction_that_begins_again_forgets_the_hosts_that_failed_it()
    {
        var attempt = NewAttempt(DatabaseOperation.Read);
        attempt.Exclude(this["analytics"], new IOException(), 0);
        attempt.Wait.Awaited = 0b100;
        attempt.ForgetTries();
        Assert.Null(attempt.Failed);
        Assert.Equal((0UL, 0UL), (attempt.Request(default, _topology.Time).Excluded, attempt.Wait.Awaited));
    }

    [Fact]
    public void Without_another_host_an_operation_ends_with_the_error_of_its_first_run()
    {
        var attempt = NewAttempt(DatabaseOperation.Read);
        var error = new PostgresException("", "ERROR", "ERROR", PostgresErrorCodes.DataCorrupted);
        attempt.Exclude(this["analytics"], error, 0).FirstRun = (this["analytics"], error);
        Assert.Same(error, Assert.Throws<PostgresException>(() => attempt.NoHost(_topology.Current, default, _topology.Time)));
        Assert.Equal(TimeSpan.Zero, attempt.RemainingWaitForHost(_topology.Time));
    }

    [Fact]
    public void The_error_without_a_host_holds_the_last_failure_and_the_reason_of_each_host()
    {
        var attempt = NewAttempt(DatabaseOperation.Read);
        var failure = new IOException("cable cut");
        attempt.Exclude(this["analytics"], failure, 0, "is out of paper");
        var error = attempt.NoHost(_topology.Current, default, _topology.Time, "is busy");
        Assert.Same(failure, error.InnerException);
        Assert.Equal("read", error.Route);
        Assert.Equal([("primary", "is busy"), ("analytics", "is out of paper")], error.Rejections.Take(2).Select(rejection => (rejection.Host, rejection.Reason)));
        Assert.True(attempt.RemainingWaitForHost(_topology.Time) > TimeSpan.Zero);
    }
}
