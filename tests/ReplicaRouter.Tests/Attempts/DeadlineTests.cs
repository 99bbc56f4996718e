namespace ReplicaRouter.Tests.Attempts;

/// <summary>The caller's deadline, and how waits are counted.</summary>
public class DeadlineTests
{
    private readonly TestTopology _topology = new("primary", "background");

    private Attempt NewAttempt(TimeSpan? deadline) =>
        new(_topology.Configuration.PlanOf(DatabaseOperation.Background), new OperationOptions { Deadline = deadline }, null, _topology.Time);

    [Fact]
    public void Without_a_deadline_an_operation_never_expires()
    {
        var attempt = NewAttempt(null);
        _topology.Advance(1_000_000);
        attempt.ThrowIfExpired(_topology.Time);
        Assert.Null(attempt.Remaining(_topology.Time));
        Assert.False(attempt.IsNearlyExpired(_topology.Time));
        Assert.False(attempt.HasExpired);
    }

    [Fact]
    public void An_operation_expires_at_its_deadline_and_the_error_names_both()
    {
        var attempt = NewAttempt(TimeSpan.FromMilliseconds(250));
        _topology.Advance(0.249);
        attempt.ThrowIfExpired(_topology.Time);
        Assert.Equal((TimeSpan.FromMilliseconds(1), false), (attempt.Remaining(_topology.Time), attempt.HasExpired));
        _topology.Advance(0.001);
        var failure = new IOException();
        attempt.Exclude(_topology["primary"].Configuration, failure, 0);
        var error = Assert.Throws<TimeoutException>(() => attempt.ThrowIfExpired(_topology.Time));
        Assert.True(attempt.HasExpired);
        Assert.Same(failure, error.InnerException);
        Assert.Contains("'background'", error.Message, StringComparison.Ordinal);
        Assert.Contains("250 ms", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0.97, false)]
    [InlineData(0.98, false)]
    [InlineData(0.981, true)]
    [InlineData(2, true)]
    public void An_operation_is_nearly_expired_within_what_a_timer_may_be_early(double after, bool isNearlyExpired)
    {
        var attempt = NewAttempt(TimeSpan.FromSeconds(1));
        _topology.Advance(after);
        Assert.Equal(isNearlyExpired, attempt.IsNearlyExpired(_topology.Time));
    }

    [Fact]
    public void The_longest_deadline_is_as_long_as_a_timer_can_wait() =>
        Assert.Equal(TimeSpan.FromMilliseconds(int.MaxValue), NewAttempt(TimeSpan.MaxValue).Remaining(_topology.Time));

    [Fact]
    public void A_wait_is_as_long_as_its_caller_needs_where_the_route_gives_less()
    {
        Assert.Equal(TimeSpan.FromSeconds(9), NewAttempt(null).RemainingWait(_topology.Time, TimeSpan.FromSeconds(9)));
        Assert.Equal(TimeSpan.FromSeconds(2), NewAttempt(null).RemainingWait(_topology.Time, TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public void Three_pauses_of_the_process_are_forgiven_and_the_fourth_is_not()
    {
        var wait = new HostWait();
        var limit = TimeSpan.FromSeconds(1);
        for (var pause = 1; pause <= 4; pause++)
        {
            wait.Left(limit, _topology.Time);
            var since = _topology.Time.GetTimestamp();
            _topology.Advance(10);
            Assert.Equal(pause <= 3, wait.ForgivesPause(since, limit, _topology.Time));
        }

        Assert.Equal(TimeSpan.Zero, wait.Left(limit, _topology.Time));
    }

    [Fact]
    public void A_wait_without_a_limit_has_no_pause_to_forgive()
    {
        var since = _topology.Time.GetTimestamp();
        _topology.Advance(10);
        Assert.False(new HostWait().ForgivesPause(since, TimeSpan.Zero, _topology.Time));
    }

    [Fact]
    public void A_wait_that_has_not_begun_ends_without_effect()
    {
        var wait = new HostWait();
        wait.End(_topology.Time);
        _topology.Advance(5);
        Assert.Equal(TimeSpan.FromSeconds(1), wait.Left(TimeSpan.FromSeconds(1), _topology.Time));
    }
}
