namespace ReplicaRouter.Tests.Sessions;

public class AttemptTests
{
    private readonly TestTopology _topology = new("primary", "background");

    private Attempt NewAttempt(RouteOptions options = default) =>
        new(_topology.Configuration.PlanOf(DatabaseOperation.Background), options, null, _topology.Time);

    [Fact]
    public void Catching_up_has_its_own_time_whatever_the_wait_for_a_host()
    {
        var attempt = NewAttempt();
        Assert.Equal(TimeSpan.FromSeconds(5), attempt.RemainingCatchUp(null, _topology.Time));
        _topology.Advance(3);
        Assert.Equal(TimeSpan.FromSeconds(2), attempt.RemainingCatchUp(null, _topology.Time));
    }

    [Fact]
    public void Catching_up_ends_with_the_callers_deadline() =>
        Assert.Equal(TimeSpan.FromSeconds(1), NewAttempt(new RouteOptions { Deadline = TimeSpan.FromSeconds(1) }).RemainingCatchUp(null, _topology.Time));
}
