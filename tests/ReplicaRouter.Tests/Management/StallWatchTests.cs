using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Management;

public sealed class StallWatchTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly FakeProbe _probe = FakeProbe.Of(Primary(100));
    private readonly HostMonitor _monitor;
    private readonly HostLoad _load;

    public StallWatchTests()
    {
        var configuration = RouterConfigurationBuilder.Build(OptionsFor("primary"));
        var store = new TopologyStore(TopologySnapshot.Initial(configuration), _time);
        var now = _time.GetTimestamp();
        store.Publish(new HostObservation(0, now, now, Primary(100), null));
        _monitor = new HostMonitor(configuration.Hosts[0], _probe, store, configuration.Health, _time, new Random(1), NullLogger.Instance);
        _load = Loads(hosts: 1, routes: 1, _time)[0];
    }

    public ValueTask DisposeAsync() => _monitor.DisposeAsync();

    [Theory]
    [InlineData(2, 40, false)]
    [InlineData(2, 60, true)]
    [InlineData(7, 60, false)]
    [InlineData(7, 80, true)]
    [InlineData(60, 90, false)]
    [InlineData(60, 110, true)]
    public void A_host_silent_for_ten_times_its_usual_latency_is_checked_after_50_to_100_ms(int usualMs, int silentMs, bool isAsked)
    {
        _load.RecordCommand(0, usualMs);
        _load.Commands.Begin();
        Assert.Equal(isAsked, IsAskedAfter(silentMs));
    }

    [Theory]
    [InlineData(90, false)]
    [InlineData(110, true)]
    public void Stalled_logins_are_checked_after_100_ms_even_if_commands_are_fast(int silentMs, bool isAsked)
    {
        _load.RecordCommand(0, 2);
        _load.Logins.Begin();
        Assert.Equal(isAsked, IsAskedAfter(silentMs));
    }

    [Fact]
    public void A_host_without_work_is_not_checked()
    {
        _load.RecordCommand(0, 2);
        Assert.False(IsAskedAfter(1000));
    }

    [Fact]
    public async Task A_command_whose_end_was_never_reported_is_forgotten_once_no_connection_is_in_use()
    {
        using var hosts = new TestHosts("primary");
        var (commands, source) = (hosts["primary"].Load.Commands, hosts["primary"].All[0].Source);
        await using var watch = new StallWatch(hosts.Registry, hosts.Listener, hosts.Time);
        watch.Start();
        source.Busy = 1;
        commands.Begin();
        for (var second = 0; second < 5; second++) hosts.Advance(1);
        Assert.Equal(1, commands.Count);
        source.Busy = 0;
        await hosts.UntilAsync(() => commands.Count == 0);
    }

    private bool IsAskedAfter(int silentMs)
    {
        _time.Advance(TimeSpan.FromMilliseconds(silentMs));
        StallWatch.Look(_load, _monitor);
        // The check runs where the clock's timers fire.
        _time.Advance(TimeSpan.FromMilliseconds(1));
        return _probe.Probes > 0;
    }
}
