using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Sessions;

/// <summary>What a session can read while there is no primary, and how long it waits for the rest.</summary>
[Trait("Failure", "B13")]
public class SessionWithoutPrimaryTests
{
    private readonly TestTopology _topology = new("primary", "analytics");
    private readonly SessionState _session;

    public SessionWithoutPrimaryTests()
    {
        _session = new SessionState(_topology.Time);
        _topology.Answer("primary", Primary(100)).Answer("analytics", Replica(100)).Advance(1);
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private long Now => _topology.Time.GetTimestamp();

    private ReadRequirement Demand() => _session.Demand(_topology.Current, Now);

    private void Do(string host, bool isWrite)
    {
        var use = _session.Begin(_topology[host].Configuration, 1, isWrite, Now);
        _topology.Advance(0.001);
        _session.End(use, Now);
        _topology.Advance(0.001);
    }

    private void LosePrimary(double after = 0.01) => _topology.Advance(after).Fail("primary", FailureKind.Unreachable);

    [Fact]
    public void The_primarys_last_answer_after_the_write_shows_its_position()
    {
        Do("primary", isWrite: true);
        _topology.Answer("primary", Primary(160) with { FlushLsn = 150 });
        LosePrimary();
        Assert.True(Demand().Allows(_topology["analytics"]));
        Assert.Equal(160UL, Demand().Floor.Lsn);
        Assert.Equal(new WalPosition(Cluster, 1, 160), _session.Export(_topology.Current, Now, default).Token!.Value.Position);
    }

    /// <summary>Unflushed WAL of an idle primary is lost with it. No standby will ever show it, and it contains no commit.</summary>
    [Fact]
    public void Long_after_the_write_the_primarys_flushed_position_is_enough()
    {
        Do("primary", isWrite: true);
        _topology.Advance(0.7).Answer("primary", Primary(160) with { FlushLsn = 150 });
        LosePrimary();
        Assert.Equal(150UL, Demand().Floor.Lsn);
    }

    [Fact]
    public void An_answer_from_before_the_write_proves_nothing()
    {
        Do("primary", isWrite: true);
        LosePrimary();
        Assert.False(Demand().Allows(_topology["analytics"]));
    }

    [Fact]
    public void The_last_received_position_of_a_lost_replica_covers_the_reads_on_it()
    {
        Do("analytics", isWrite: false);
        _topology.Answer("analytics", Replica(110, received: 130)).Advance(0.01).Fail("analytics", FailureKind.Unreachable);
        LosePrimary();
        _session.Release();
        Demand();
        Assert.Equal(130UL, Demand().Floor.Lsn);
    }

    [Fact]
    public void A_lost_replica_whose_received_position_is_out_of_date_does_not_cover_the_reads_on_it()
    {
        Do("analytics", isWrite: false);
        _topology.Answer("analytics", Replica(110, received: 109)).Advance(0.01).Fail("analytics", FailureKind.Unreachable);
        LosePrimary();
        _session.Release();
        Assert.Equal(_topology["analytics"].Configuration.Bit, Demand().Unsettled);
        Assert.True(Demand().Floor.IsNone);
    }

    [Theory]
    [InlineData(160, false)]
    [InlineData(150, true)]
    public void The_failover_shows_whether_the_write_was_lost(ulong fork, bool isLost)
    {
        Do("primary", isWrite: true);
        _topology.Answer("primary", Primary(160));
        LosePrimary();
        _topology.Answer("analytics", Replica(fork)).Advance(0.01).Answer("analytics", Primary(180, timeline: 2) with { ReplayLsn = fork, StartedAt = 1 }).Advance(0.01);
        Assert.Equal(isLost ? SessionFinding.LostHistory : SessionFinding.None, Demand().Finding);
        Assert.Equal(isLost, _session.HasLostHistory);
    }

    [Fact]
    public async Task A_read_that_needs_a_primary_waits_as_long_as_a_write_and_says_so()
    {
        var isPrimaryLost = false;
        await using var router = new ClusterRouter(RouterConfigurationBuilder.Build(Options()), createProbe: host => new FakeProbe(_ => host.IsConfiguredPrimary && isPrimaryLost
            ? throw new IOException("cable cut")
            : Task.FromResult((host.IsConfiguredPrimary ? Primary(100) : Replica(100)) with { StartedAt = host.Index + 1 })));
        await router.WaitUntilReadyAsync(TimeSpan.FromSeconds(30), Ct);
        isPrimaryLost = true;
        while (router.Engine.Topology is { Primary: not null } topology) await topology.Superseded.WaitAsync(TimeSpan.FromSeconds(10), Ct);

        var token = new SessionToken(new WalPosition(Cluster, 1, 0), TimeProvider.System.GetUtcNow(), IsOpen: true).Encode([]);
        var start = TimeProvider.System.GetTimestamp();
        var error = await Assert.ThrowsAsync<NoEligibleHostException>(async () => await router.OpenConnectionAsync(DatabaseOperation.Read, new OperationOptions { SessionToken = token }, Ct));
        Assert.InRange(TimeProvider.System.GetElapsedTime(start).TotalSeconds, 1.4, 30);
        Assert.Contains("may lack what the session has written or read, as no primary has confirmed the position", error.Message, StringComparison.Ordinal);
    }

    private static DatabaseRouterOptions Options()
    {
        var options = OptionsFor("primary", "analytics");
        options.Routes["read"] = new DatabaseRouteOptions { Wait = TimeSpan.FromMilliseconds(100) };
        options.Routes["write"] = new DatabaseRouteOptions { Wait = TimeSpan.FromSeconds(1.5) };
        return options;
    }
}
