using System.Diagnostics.Metrics;
using Npgsql;
using static ReplicaRouter.Tests.TestTopology;

namespace ReplicaRouter.Tests.Diagnostics;

[Collection("Activity listeners")]
public sealed class OperationTelemetryTests : IDisposable
{
    private readonly Meter _meter = new("operation telemetry tests");
    private readonly TestTopology _topology = new("primary");
    private readonly List<(double Seconds, Dictionary<string, object?> Tags)> _measured = [];
    private readonly OperationTelemetry _telemetry;

    public OperationTelemetryTests() => _telemetry = new OperationTelemetry(_meter.CreateHistogram<double>("duration"), null, _topology.Time);

    public void Dispose() => _meter.Dispose();

    private MeterListener Listen()
    {
        var listener = new MeterListener { InstrumentPublished = (instrument, self) => { if (instrument.Meter == _meter) self.EnableMeasurementEvents(instrument); } };
        listener.SetMeasurementEventCallback<double>((_, seconds, tags, _) => _measured.Add((seconds, new(tags.ToArray()))));
        listener.Start();
        return listener;
    }

    public static TheoryData<Exception?, string, string?> Outcomes => new()
    {
        { null, "ok", null },
        { new NoEligibleHostException("read", []), "no_host", typeof(NoEligibleHostException).FullName },
        { new TransactionOutcomeUnknownException("primary", new IOException()), "unknown", typeof(TransactionOutcomeUnknownException).FullName },
        { new TimeoutException(), "timeout", typeof(TimeoutException).FullName },
        { new TaskCanceledException(), "cancelled", typeof(TaskCanceledException).FullName },
        { new PostgresException("duplicate key", "ERROR", "ERROR", "23505"), "error", "23505" },
    };

    [Theory]
    [MemberData(nameof(Outcomes), DisableDiscoveryEnumeration = true)]
    public async Task An_operation_is_measured_with_its_route_host_and_outcome(Exception? error, string outcome, string? errorType)
    {
        using var listener = Listen();
        var running = _telemetry.RunAsync("execute", _topology.Configuration.Routes[(int)DatabaseOperation.Read], () => _topology.Configuration.Hosts[0], async () =>
        {
            await Task.Yield();
            _topology.Advance(2);
            return error is null ? 1 : throw error;
        });
        Assert.Same(error, await Record.ExceptionAsync(() => running));

        var (seconds, tags) = Assert.Single(_measured);
        Assert.Equal(2, seconds);
        Assert.Equal("read", tags["replica_router.route"]);
        Assert.Equal("primary", tags["replica_router.host"]);
        Assert.Equal(outcome, tags["replica_router.outcome"]);
        Assert.Equal(errorType, tags.GetValueOrDefault("error.type"));
    }

    [Fact]
    public void Telemetry_is_enabled_only_while_a_listener_is_attached()
    {
        using (Listen()) Assert.True(_telemetry.IsEnabled);
        Assert.False(_telemetry.IsEnabled);
    }

    [Fact]
    public async Task Gauges_report_the_snapshot_and_NaN_for_unknown_values()
    {
        Dictionary<string, double> values = [];
        using var factory = new OneMeter();
        await using var router = new ClusterRouter(
            RouterConfigurationBuilder.Build(OptionsFor("primary", "analytics")),
            createProbe: host => FakeProbe.Of((host.IsConfiguredPrimary ? Primary(100) : Replica(100)) with { StartedAt = host.Index }), meterFactory: factory);
        await router.WaitUntilReadyAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        using var listener = new MeterListener { InstrumentPublished = (instrument, self) => { if (instrument.Meter == factory.Meter) self.EnableMeasurementEvents(instrument); } };
        void Note<T>(Instrument instrument, T value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? _) where T : struct =>
            values[string.Join(' ', [instrument.Name, .. tags.ToArray().Select(tag => tag.Value)])] = Convert.ToDouble(value, System.Globalization.CultureInfo.InvariantCulture);
        listener.SetMeasurementEventCallback<int>(Note);
        listener.SetMeasurementEventCallback<long>(Note);
        listener.SetMeasurementEventCallback<double>(Note);
        listener.Start();
        listener.RecordObservableInstruments();

        Assert.Equal(1, values["replica_router.host.state analytics healthy"]);
        Assert.Equal(0, values["replica_router.host.state analytics split_brain"]);
        Assert.Equal(1, values["replica_router.host.role primary primary"]);
        Assert.Equal(1, values["replica_router.route.available write"]);
        Assert.Equal(0, values["replica_router.host.lag.wal analytics"]);
        Assert.Equal(double.NaN, values["replica_router.host.lag primary"]);

        await router.DrainAsync("primary", TestContext.Current.CancellationToken);
        listener.RecordObservableInstruments();
        Assert.Equal(1, values["replica_router.host.drained primary"]);
        Assert.Equal(0, values["replica_router.route.available write"]);
        Assert.Equal(1, values["replica_router.route.available read"]);
    }
}
