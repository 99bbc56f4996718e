using System.Diagnostics.Metrics;
using System.Globalization;
using ReplicaRouter.Tests.Diagnostics;
using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Management;

/// <summary>What the metrics count.</summary>
public sealed class RouterMeterTests : IAsyncDisposable
{
    private readonly OneMeter _meters = new();
    private readonly Dictionary<string, FakeProbe> _probes = [];
    private readonly ClusterRouter _router;

    public RouterMeterTests()
    {
        var options = OptionsFor("primary", "analytics");
        options.Health.Interval = TimeSpan.FromMilliseconds(50);
        _router = new ClusterRouter(RouterConfigurationBuilder.Build(options), meterFactory: _meters, createProbe: host =>
            _probes[host.Name] = FakeProbe.Of((host.IsConfiguredPrimary ? Primary(100) : Replica(100)) with { StartedAt = host.Index }));
    }

    public async ValueTask DisposeAsync()
    {
        await _router.DisposeAsync();
        _meters.Dispose();
    }

    /// <summary>Returns the values of one instrument, by the values of their tags.</summary>
    private Dictionary<string, double> Read(string name)
    {
        Dictionary<string, double> values = [];
        using var listener = new MeterListener { InstrumentPublished = (instrument, self) => { if (instrument.Meter == _meters.Meter && instrument.Name == name) self.EnableMeasurementEvents(instrument); } };
        void Note<T>(Instrument instrument, T value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? _) where T : struct =>
            values[string.Join(' ', tags.ToArray().Select(tag => tag.Value))] = Convert.ToDouble(value, CultureInfo.InvariantCulture);
        listener.SetMeasurementEventCallback<int>(Note);
        listener.SetMeasurementEventCallback<long>(Note);
        listener.SetMeasurementEventCallback<double>(Note);
        listener.Start();
        listener.RecordObservableInstruments();
        return values;
    }

    private async Task UntilAsync(HostState state)
    {
        for (var start = TimeProvider.System.GetTimestamp(); _router.GetHealthStatus()["analytics"].State != state; await Task.Delay(5, TestContext.Current.CancellationToken))
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(30), "The host never entered the state.");
        }
    }

    [Fact]
    public async Task Each_outage_of_a_host_counts_as_one_ejection_and_its_return_does_not()
    {
        await UntilAsync(HostState.Healthy);
        Assert.Empty(Read("replica_router.ejections"));
        var answer = _probes["analytics"].Answer;
        _probes["analytics"].Answer = _ => throw new IOException("gone");
        await UntilAsync(HostState.Down);
        _probes["analytics"].Answer = answer;
        await UntilAsync(HostState.Healthy);
        Assert.Equal(KeyValuePair.Create("analytics down", 1.0), Assert.Single(Read("replica_router.ejections")));
    }

    [Fact]
    public async Task A_replica_that_is_down_has_no_lag()
    {
        await UntilAsync(HostState.Healthy);
        Assert.Equal(0, Read("replica_router.host.lag")["analytics"]);
        _probes["analytics"].Answer = _ => throw new IOException("gone");
        await UntilAsync(HostState.Down);
        Assert.Equal(double.NaN, Read("replica_router.host.lag")["analytics"]);
        Assert.Equal(double.NaN, Read("replica_router.host.lag.wal")["analytics"]);
    }

    [Fact]
    public void Only_the_pools_that_ran_commands_are_counted()
    {
        var pools = _router.Pools.First();
        pools.All[(int)DatabaseOperation.Write].CountCommand();
        pools.All[(int)DatabaseOperation.Write].CountCommand();
        Assert.Equal(KeyValuePair.Create("write primary", 2.0), Assert.Single(Read("replica_router.commands")));
    }
}
