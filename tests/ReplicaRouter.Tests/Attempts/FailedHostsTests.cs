using Npgsql;
using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Attempts;

public class FailedHostsTests
{
    private static readonly PostgresException s_unknownDatabase = new("no such database", "FATAL", "FATAL", PostgresErrorCodes.InvalidCatalogName);

    private readonly TestTopology _topology = new TestTopology("primary", "analytics", "background")
        .Answer("primary", Primary(100)).Answer("analytics", Replica(100)).Answer("background", Replica(100)).Advance(1);

    private long Now => _topology.Time.GetTimestamp();

    private HostConfiguration this[string host] => _topology[host].Configuration;

    private sealed class Further() : Database("orders");

    /// <summary>Draws the longest backoff each time.</summary>
    private sealed class Longest : Random
    {
        public override double NextDouble() => 1;
    }

    [Fact]
    public void A_host_that_failed_is_tried_again_once_it_has_answered_a_later_probe()
    {
        var failed = new FailedHosts(0b100);
        var failure = new IOException();
        failed.Exclude(this["analytics"], failure, null, Now, null);
        Assert.Equal(0b110UL, failed.Excluded);
        Assert.Same(failure, failed.LastFailure);

        Assert.False(failed.ClearAnswered(_topology.Current));
        Assert.True(failed.ClearAnswered(_topology.Answer("analytics", Replica(100)).Current));
        Assert.Equal(0b100UL, failed.Excluded);
        Assert.False(failed.ClearAnswered(_topology.Current));
    }

    [Fact]
    public void An_answer_from_before_the_last_failure_forgives_no_host()
    {
        var failed = new FailedHosts();
        failed.Exclude(this["analytics"], new IOException(), null, Now, null);
        _topology.Answer("analytics", Replica(100)).Advance(1);
        failed.Exclude(this["background"], new IOException(), null, Now, null);
        Assert.False(failed.ClearAnswered(_topology.Current));
        Assert.Equal(0b110UL, failed.Excluded);
    }

    [Fact]
    public void The_pause_before_another_try_doubles_up_to_400_ms()
    {
        var failed = new FailedHosts();
        Assert.Equal([25.0, 50, 100, 200, 400, 400, 400], Enumerable.Range(0, 7).Select(_ => failed.NextBackoff(new Longest()).TotalMilliseconds));
    }

    [Fact]
    public void A_refusal_is_kept_only_where_the_state_of_the_host_does_not_say_it()
    {
        var failed = new FailedHosts();
        failed.Exclude(this["primary"], new IOException(), null, Now, null);
        Assert.Null(failed.Refusals);
        failed.Exclude(this["primary"], new IOException(), null, Now, "is asleep");
        failed.Exclude(this["analytics"], s_unknownDatabase, null, Now, null);
        failed.Exclude(this["background"], new InvalidOperationException(), null, Now, null);
        Assert.Equal(["analytics", "background", "primary"], failed.Refusals!.Keys.Order());
        Assert.Equal("is asleep", failed.Refusals["primary"]);
        Assert.Contains("has no database 'app'", failed.Refusals["analytics"], StringComparison.Ordinal);
    }

    [Fact]
    public void Only_the_primarys_refusal_of_a_further_database_is_final()
    {
        var failed = new FailedHosts();
        failed.Exclude(this["analytics"], s_unknownDatabase, new Further(), Now, null);
        Assert.Null(failed.RefusalBy(_topology["primary"]));
        Assert.Null(failed.RefusalBy(null));
        failed.Exclude(this["primary"], s_unknownDatabase, new Further(), Now, null);
        Assert.Contains("has no database 'orders'", failed.RefusalBy(_topology["primary"]), StringComparison.Ordinal);
    }

    [Fact]
    public void A_primary_that_is_only_unreachable_or_lacks_the_own_database_refuses_no_further_one()
    {
        var failed = new FailedHosts();
        failed.Exclude(this["primary"], s_unknownDatabase, null, Now, null);
        failed.Exclude(this["primary"], new IOException(), new Further(), Now, null);
        Assert.Null(failed.RefusalBy(_topology["primary"]));
    }
}
