namespace ReplicaRouter.Tests.Attempts;

public class AttemptTests
{
    private readonly TestTopology _topology = new("primary", "background");

    private Attempt NewAttempt(OperationOptions? options = null) =>
        new(_topology.Configuration.PlanOf(DatabaseOperation.Background), options, null, _topology.Time);

    [Fact]
    public void The_catch_up_time_is_independent_of_the_wait_for_a_host()
    {
        var attempt = NewAttempt();
        Assert.Equal(TimeSpan.FromSeconds(5), attempt.RemainingCatchUp(_topology.Time));
        _topology.Advance(3);
        Assert.Equal(TimeSpan.FromSeconds(2), attempt.RemainingCatchUp(_topology.Time));
    }

    [Theory]
    [InlineData(DatabaseOperation.Read, 50)]
    [InlineData(DatabaseOperation.Background, 5000)]
    public void The_default_catch_up_time_depends_on_the_route(DatabaseOperation operation, int milliseconds) =>
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), new Attempt(_topology.Configuration.PlanOf(operation), null, null, _topology.Time).RemainingCatchUp(_topology.Time));

    [Fact]
    public void Catching_up_ends_with_the_callers_deadline() =>
        Assert.Equal(TimeSpan.FromSeconds(1), NewAttempt(new OperationOptions { Deadline = TimeSpan.FromSeconds(1) }).RemainingCatchUp(_topology.Time));

    [Fact]
    [Trait("Failure", "B12")]
    public void The_wait_budget_is_spent_while_waiting_and_not_while_work_runs()
    {
        var attempt = NewAttempt();
        _topology.Advance(30);
        Assert.Equal(TimeSpan.FromSeconds(2), attempt.RemainingWait(_topology.Time));
        _topology.Advance(0.5);
        Assert.Equal(TimeSpan.FromSeconds(1.5), attempt.RemainingWait(_topology.Time));
        attempt.EndWait(_topology.Time);
        _topology.Advance(30);
        Assert.Equal(TimeSpan.FromSeconds(1.5), attempt.RemainingWait(_topology.Time));
        _topology.Advance(2);
        Assert.Equal(TimeSpan.Zero, attempt.RemainingWait(_topology.Time));
    }

    [Fact]
    [Trait("Failure", "B12")]
    public void A_wait_ends_with_the_callers_deadline_whenever_it_started()
    {
        var attempt = NewAttempt(new OperationOptions { Deadline = TimeSpan.FromSeconds(1) });
        _topology.Advance(0.75);
        Assert.Equal(TimeSpan.FromSeconds(0.25), attempt.RemainingWait(_topology.Time));
    }

    [Fact]
    [Trait("Failure", "B8")]
    public void A_wait_during_which_the_process_was_suspended_does_not_count()
    {
        var attempt = NewAttempt();
        var (since, left) = (_topology.Time.GetTimestamp(), attempt.RemainingWait(_topology.Time));
        _topology.Advance(30);
        Assert.True(attempt.Wait.ForgivesPause(since, left, _topology.Time));
        Assert.Equal(TimeSpan.FromSeconds(2), attempt.RemainingWait(_topology.Time));

        (since, left) = (_topology.Time.GetTimestamp(), attempt.RemainingWait(_topology.Time));
        _topology.Advance(2);
        Assert.False(attempt.Wait.ForgivesPause(since, left, _topology.Time));
        Assert.Equal(TimeSpan.Zero, attempt.RemainingWait(_topology.Time));
    }
}
