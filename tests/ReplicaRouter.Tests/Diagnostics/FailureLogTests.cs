using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace ReplicaRouter.Tests.Diagnostics;

public class FailureLogTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly FailureLog _log = new();
    private readonly RoutePlan _read = RouterConfigurationBuilder.Build(TestTopology.OptionsFor("primary")).PlanOf(DatabaseOperation.Read);

    [Fact]
    public void Failures_of_one_kind_share_an_entry_with_a_count_and_no_server_text()
    {
        for (var i = 0; i < 3; i++) _log.Note(_read, null, new PostgresException($"invalid input syntax: \"secret {i}\"", "ERROR", "ERROR", "22P02"), _time);
        var failure = Assert.Single(_log.Last());
        Assert.Equal(("read", "22P02 InvalidTextRepresentation", 3L), (failure.Route, failure.What, failure.Count));
        Assert.Null(failure.Text);
    }

    [Fact]
    public void The_kind_seen_longest_ago_is_evicted()
    {
        for (var i = 0; i <= FailureLog.Most; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            _log.Note(_read, null, new PostgresException("", "ERROR", "ERROR", $"X{i:0000}"), _time);
        }

        var last = _log.Last();
        Assert.Equal(FailureLog.Most, last.Length);
        Assert.Equal("X0020", last[0].What);
        Assert.DoesNotContain(last, failure => failure.What == "X0000");
    }

    [Fact]
    public void Cancellation_is_not_a_failure()
    {
        Assert.False(_log.Note(_read, null, new OperationCanceledException(), _time));
        Assert.Empty(_log.Last());
    }
}
