using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Sessions;

/// <summary>Until when a session has read on replicas, which can show commits that the primary still hides.</summary>
[Trait("Failure", "A10")]
public class SessionOnPrimaryTests
{
    private readonly TestTopology _topology = new("primary", "analytics");
    private readonly SessionState _session;

    public SessionOnPrimaryTests()
    {
        _session = new SessionState(_topology.Time);
        _topology.Answer("primary", Primary(100)).Answer("analytics", Replica(100)).Advance(100);
    }

    private long Now => _topology.Time.GetTimestamp();

    private HostAccess Begin(string host, bool isOnReplica) => _session.Begin(_topology[host].Configuration, 1, isWrite: !isOnReplica, Now, isOnReplica: isOnReplica);

    [Fact]
    public void A_session_without_reads_on_replicas_needs_no_proof()
    {
        _session.End(Begin("primary", isOnReplica: false), Now);
        Assert.Null(_session.ReadOnReplicasUntil(Now));
    }

    [Fact]
    public void A_session_needs_a_proof_from_after_its_last_read_on_a_replica()
    {
        var use = Begin("analytics", isOnReplica: true);
        _topology.Advance(1);
        _session.End(use, Now);
        var ended = Now;
        _topology.Advance(1);
        Assert.Equal(ended, _session.ReadOnReplicasUntil(Now));
        _session.Shown(ended - 1);
        Assert.Equal(ended, _session.ReadOnReplicasUntil(Now));
        _session.Shown(ended);
        Assert.Null(_session.ReadOnReplicasUntil(Now));
    }

    [Fact]
    public void An_open_connection_to_a_replica_counts_as_reading_until_now()
    {
        var use = Begin("analytics", isOnReplica: true);
        _topology.Advance(1);
        Assert.Equal(Now, _session.ReadOnReplicasUntil(Now));
        _session.Shown(Now);
        Assert.Equal(Now, _session.ReadOnReplicasUntil(Now));
        _session.End(use, Now);
        _session.Shown(Now);
        Assert.Null(_session.ReadOnReplicasUntil(Now));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(3, 3)]
    [InlineData(-60, 0)]    // issued by a clock that is ahead
    public void Reads_of_another_process_count_until_its_token_was_issued(double age, double ended)
    {
        var token = new SessionToken(new WalPosition(Cluster, 1, 100), _topology.Time.GetUtcNow() - TimeSpan.FromSeconds(age), false);
        _session.Merge(token, Now);
        Assert.Equal(Now - _topology.Time.Ticks(TimeSpan.FromSeconds(ended)), _session.ReadOnReplicasUntil(Now));
    }
}
