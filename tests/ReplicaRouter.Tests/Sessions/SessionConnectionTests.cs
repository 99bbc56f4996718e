using System.Data;
using System.Transactions;
using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Sessions;

/// <summary>How long a session's access to a host lasts, and what it counts as.</summary>
public class SessionConnectionTests
{
    private static readonly DateTimeOffset s_later = DateTimeOffset.UnixEpoch.AddYears(60);

    private readonly TestTopology _topology = new TestTopology("primary", "analytics").Answer("primary", Primary(100)).Answer("analytics", Replica(100)).Advance(1);
    private readonly TopologyStore _store;
    private readonly SessionState _session;

    public SessionConnectionTests()
    {
        _store = new TopologyStore(_topology.Current, _topology.Time);
        _session = new SessionState(_topology.Time);
    }

    private long Now => _topology.Time.GetTimestamp();

    /// <summary>Whether the session has a connection that can still write.</summary>
    private bool IsWriting => _session.ExportTime(s_later)?.IssuedAt == s_later;

    private SessionConnection NewConnection(string host, bool isWrite) => new(_session, _topology[host].Configuration, isWrite, _store, _topology.Time);

    private void Change(SessionConnection connection, ConnectionState from, ConnectionState to)
    {
        connection.OnStateChange(this, new StateChangeEventArgs(from, to));
        _topology.Advance(1);
    }

    private void Open(SessionConnection connection) => Change(connection, ConnectionState.Closed, ConnectionState.Open);

    private void Close(SessionConnection connection) => Change(connection, ConnectionState.Open, ConnectionState.Closed);

    [Fact]
    public void A_write_lasts_from_the_opening_of_its_connection_to_its_close()
    {
        var connection = NewConnection("primary", isWrite: true);
        Assert.False(IsWriting);
        Open(connection);
        Assert.True(IsWriting);
        var closedAt = _topology.Time.GetUtcNow();
        Close(connection);
        Assert.Equal(closedAt, _session.ExportTime(s_later)!.Value.IssuedAt);
    }

    [Fact]
    public void A_connection_that_is_opened_again_can_write_again()
    {
        var connection = NewConnection("primary", isWrite: true);
        Open(connection);
        Close(connection);
        Open(connection);
        Assert.True(IsWriting);
        Close(connection);
        Assert.False(IsWriting);
    }

    [Fact]
    public void A_second_close_changes_nothing()
    {
        var connection = NewConnection("primary", isWrite: true);
        Open(connection);
        Close(connection);
        Close(connection);
        Open(connection);
        Assert.True(IsWriting);
    }

    [Fact]
    public void A_connection_that_could_not_be_opened_is_no_access()
    {
        var connection = NewConnection("primary", isWrite: true);
        Change(connection, ConnectionState.Closed, ConnectionState.Connecting);
        Change(connection, ConnectionState.Connecting, ConnectionState.Closed);
        Assert.Equal((false, false), (_session.HasNews, _session.HasWritten));
    }

    /// <summary>What a replica shows, the primary may still hide.</summary>
    [Theory]
    [InlineData("analytics", false, true)]
    [InlineData("analytics", true, false)]
    [InlineData("primary", false, false)]
    [InlineData("primary", true, false)]
    public void Only_reads_on_replicas_count_as_such(string host, bool isWrite, bool isOnReplica)
    {
        var connection = NewConnection(host, isWrite);
        Open(connection);
        var closedAt = Now;
        Close(connection);
        Assert.Equal(isOnReplica ? closedAt : (long?)null, _session.ReadOnReplicasUntil(Now));
        Assert.Equal((isWrite, isWrite), (_session.HasWritten, _session.ExportTime(s_later) is not null));
    }

    [Fact]
    public void A_read_on_a_host_that_was_removed_counts_as_one_on_a_replica()
    {
        var connection = new SessionConnection(_session, _topology["primary"].Configuration with { AddedAt = 7 }, isWrite: false, _store, _topology.Time);
        Open(connection);
        Close(connection);
        Assert.NotNull(_session.ReadOnReplicasUntil(Now));
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(2, false)]
    public void An_access_belongs_to_the_timeline_on_which_its_host_was_chosen(int timeline, bool isAcrossTimelines)
    {
        _topology.Fail("primary", FailureKind.Unreachable).Answer("analytics", Replica(150)).Advance(0.01);
        _topology.Answer("analytics", Primary(180, timeline: 2) with { ReplayLsn = 150, StartedAt = 1 }).Advance(1);
        _store.Update(_ => _topology.Current);
        NewConnection("analytics", isWrite: true).Begin(timeline);
        _topology.Advance(1);
        Assert.Equal(isAcrossTimelines, _session.Demand(_topology.Current, Now).IsAcrossTimelines);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_write_in_an_ambient_transaction_lasts_until_the_transaction_ends(bool isCommitted)
    {
        DateTimeOffset endedAt;
        using (var scope = new TransactionScope())
        {
            var connection = NewConnection("primary", isWrite: true);
            Open(connection);
            Close(connection);
            Assert.True(IsWriting);
            if (isCommitted) scope.Complete();
            endedAt = _topology.Time.GetUtcNow();
        }

        Assert.Equal(endedAt, _session.ExportTime(s_later)!.Value.IssuedAt);
    }

    [Fact]
    public void A_connection_that_stays_open_after_its_ambient_transaction_can_still_write()
    {
        var connection = NewConnection("primary", isWrite: true);
        using (new TransactionScope()) Open(connection);
        Assert.True(IsWriting);
        Close(connection);
        Assert.False(IsWriting);
    }

    [Fact]
    public void A_read_in_an_ambient_transaction_ends_with_its_connection()
    {
        using var scope = new TransactionScope();
        var connection = NewConnection("analytics", isWrite: false);
        Open(connection);
        var closedAt = Now;
        Close(connection);
        Assert.Equal(closedAt, _session.ReadOnReplicasUntil(Now));
    }
}
