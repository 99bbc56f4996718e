using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;

namespace ReplicaRouter.Tests.Diagnostics;

/// <summary>The router's name distinguishes several routers in one application.</summary>
public sealed class RouterNameTests
{
    [Theory]
    [InlineData(null, "primary/read")]
    [InlineData("billing", "billing/primary/read")]
    public async Task Metrics_pools_and_logs_carry_the_routers_name(string? name, string pool)
    {
        using var meters = new OneMeter();
        using var logs = new Categories();
        var options = TestTopology.OptionsFor("primary", "analytics");
        options.Names = ConfigurationNames.Of(name);
        await using var router = new ClusterRouter(
            RouterConfigurationBuilder.Build(options), logs, createProbe: host => FakeProbe.Of(host.IsConfiguredPrimary ? TestTopology.Primary(100) : TestTopology.Replica(100)), meterFactory: meters);
        await router.WaitUntilReadyAsync(TestContext.Current.CancellationToken);

        var named = Names(meters.Meter!);
        Assert.NotEmpty(named);
        Assert.All(named, measured => Assert.Equal(name, measured));
        Assert.Contains(pool, router.Pools.First().Sources.Select(source => source.Name));
        Assert.Contains(name is null ? "ReplicaRouter.DatabaseRouter" : $"ReplicaRouter.DatabaseRouter.{name}", logs.All);
    }

    private static List<object?> Names(Meter meter)
    {
        var names = new List<object?>();
        void Add(ReadOnlySpan<KeyValuePair<string, object?>> tags) => names.Add(tags.ToArray().FirstOrDefault(tag => tag.Key == "replica_router.router").Value);
        using var listener = new MeterListener { InstrumentPublished = (instrument, self) => { if (instrument.Meter == meter) self.EnableMeasurementEvents(instrument); } };
        listener.SetMeasurementEventCallback<int>((_, _, tags, _) => Add(tags));
        listener.SetMeasurementEventCallback<long>((_, _, tags, _) => Add(tags));
        listener.SetMeasurementEventCallback<double>((_, _, tags, _) => Add(tags));
        listener.Start();
        listener.RecordObservableInstruments();
        return names;
    }

    private sealed class Categories : ILoggerFactory
    {
        public List<string> All { get; } = [];

        public ILogger CreateLogger(string categoryName)
        {
            lock (All) All.Add(categoryName);
            return Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;
        }

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public void Dispose()
        {
        }
    }
}
