using Microsoft.Extensions.Time.Testing;
using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Topology;

/// <summary>Snapshots replace one another as a whole, and wake those that wait for a newer one.</summary>
public class TopologyStoreTests
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(1);

    private readonly FakeTimeProvider _time = new();
    private readonly RouterConfiguration _configuration = RouterConfigurationBuilder.Build(OptionsFor("primary", "analytics"));
    private readonly TopologyStore _store;

    public TopologyStoreTests() => _store = new TopologyStore(TopologySnapshot.Initial(_configuration), _time);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private void Answer(int host)
    {
        var now = _time.GetTimestamp();
        _store.Publish(new HostObservation(host, now, now, host == 0 ? Primary(100) : Replica(100), null));
    }

    [Fact]
    public void A_change_that_changes_nothing_is_not_published()
    {
        var (before, changes) = (_store.Current, 0);
        _store.Changed += (_, _) => changes++;
        Assert.Same(before, _store.Update(current => current));
        Assert.Equal((0, false), (changes, before.Superseded.IsCompleted));
        Answer(0);
        Assert.Equal((1, true), (changes, before.Superseded.IsCompleted));
    }

    [Fact]
    public void A_listener_that_throws_leaves_no_one_waiting()
    {
        var before = _store.Current;
        _store.Changed += (was, now) => throw new InvalidOperationException($"{ReferenceEquals(was, before)} {ReferenceEquals(now, _store.Current)}");
        Assert.Equal("True True", Assert.Throws<InvalidOperationException>(() => Answer(0)).Message);
        Assert.True(before.Superseded.IsCompleted);
        Assert.Equal("primary", _store.Current.Primary?.Name);
    }

    [Fact]
    public void A_change_that_another_one_overtakes_is_made_again_so_that_both_last()
    {
        var tries = 0;
        _store.Update(current =>
        {
            if (tries++ == 0) Answer(0);
            return current.WithDrained(1, true, _time);
        });
        Assert.Equal((2, "primary", true), (tries, _store.Current.Primary?.Name, _store.Current.Hosts[1].IsDrained));
    }

    [Fact]
    public async Task A_wait_for_a_newer_snapshot_ends_with_it_or_with_another_task()
    {
        var before = _store.Current;
        var other = new TaskCompletionSource();
        var (newer, either) = (_store.NewerAsync(before, s_limit, Ct), _store.NewerAsync(before, s_limit, Ct, other.Task));
        Assert.False(newer.IsCompleted);
        other.SetResult();
        Assert.True(await either.WaitAsync(s_bound, Ct));
        Assert.False(newer.IsCompleted);
        Answer(0);
        Assert.True(await newer.WaitAsync(s_bound, Ct));
        // There is a newer one already.
        Assert.True(await _store.NewerAsync(before, s_limit, Ct));
    }

    [Fact]
    public async Task A_wait_for_a_newer_snapshot_ends_at_its_limit()
    {
        Assert.False(await _store.NewerAsync(_store.Current, TimeSpan.Zero, Ct));
        var newer = _store.NewerAsync(_store.Current, s_limit, Ct);
        _time.Advance(s_limit / 2);
        Assert.False(newer.IsCompleted);
        _time.Advance(s_limit / 2);
        Assert.False(await newer.WaitAsync(s_bound, Ct));
    }

    [Fact]
    public async Task A_cancelled_wait_for_a_newer_snapshot_fails()
    {
        using var cancel = new CancellationTokenSource();
        var newer = _store.NewerAsync(_store.Current, s_limit, cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => newer.WaitAsync(s_bound, Ct));
    }

    [Fact]
    public async Task All_waits_end_when_the_store_is_closed_and_later_ones_fail_at_once()
    {
        var newer = _store.NewerAsync(_store.Current, s_limit, Ct);
        _store.Close();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => newer.WaitAsync(s_bound, Ct));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => _store.NewerAsync(_store.Current, TimeSpan.Zero, Ct));
    }

    [Fact]
    public void A_host_has_its_current_configuration_until_it_is_removed_and_its_last_one_then()
    {
        var host = _configuration.Hosts[1];
        _store.Update(current => current.WithHosts([_configuration.Hosts[0], host with { Weight = 3 }], _time));
        Assert.Equal(3, _store.Present(host).Weight);
        _store.Update(current => current.WithHosts([_configuration.Hosts[0]], _time));
        Assert.Same(host, _store.Present(host));
    }
}
