using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Reflection;
using Microsoft.Extensions.Logging;
using ReplicaRouter.Tests;

namespace ReplicaRouter.AspNetCore.Tests;

/// <summary>docs/guide/telemetry.md lists exactly what is emitted.</summary>
public class TelemetryPageTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_page_lists_every_metric_with_kind_and_unit()
    {
        var declared = new SortedSet<string>(StringComparer.Ordinal);
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Name == DatabaseRouterTelemetry.MeterName) lock (declared) declared.Add($"{instrument.Name} {KindOf(instrument)} {instrument.Unit}".Trim());
            },
        };
        listener.Start();
        await using var router = Router();
        lock (declared) Assert.Equal(TelemetryPage.Metrics.Select(metric => $"{metric.Name} {metric.Kind} {metric.Unit}".Trim()).Order(StringComparer.Ordinal), declared);
    }

    [Fact]
    public void The_page_lists_every_log_event() => Assert.Equal(
        LogEvents.Select(log => $"{log.EventId} {log.Level} {log.Message}").Order(StringComparer.Ordinal), TelemetryPage.LogEvents.Order(StringComparer.Ordinal));

    [Fact]
    public void No_two_log_events_share_an_id() => Assert.Distinct(LogEvents.Select(log => log.EventId));

    [Fact]
    public async Task The_page_lists_every_activity_with_its_attributes()
    {
        List<Activity> activities = [];
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == DatabaseRouterTelemetry.ActivitySourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity => { lock (activities) activities.Add(activity); },
        };
        ActivitySource.AddActivityListener(listener);
        await using var router = Router();
        await router.WaitUntilReadyAsync(TimeSpan.FromSeconds(30), Ct);
        using var root = new Activity("test").Start();
        // There is no server: opening fails on every host until the deadline.
        await Assert.ThrowsAnyAsync<Exception>(() => router.ExecuteAsync(DatabaseOperation.Read, (_, _) => Task.CompletedTask, new OperationOptions { Deadline = TimeSpan.FromSeconds(1) }, Ct));
        Assert.ThrowsAny<Exception>(() => router.Execute(DatabaseOperation.Analytics, _ => 1));
        await Assert.ThrowsAnyAsync<Exception>(() => router.WithTransactionAsync((_, _) => Task.CompletedTask, new CancellationToken(true)));
        root.Stop();

        Activity[] ours;
        lock (activities) ours = [.. activities.Where(activity => activity.TraceId == root.TraceId)];
        Assert.Equal(["execute read", "execute analytics", "transaction transactional"], ours.Select(activity => activity.OperationName));
        Assert.All(ours, activity => Assert.Contains($"`{activity.OperationName.Split(' ')[0]} <route>`", TelemetryPage.Text, StringComparison.Ordinal));
        Assert.All(ours.SelectMany(activity => activity.TagObjects), tag => Assert.Contains(tag.Key, TelemetryPage.ActivityAttributes));
        Assert.All(ours, activity => Assert.Equal(ActivityStatusCode.Error, activity.Status));
        Assert.Contains($"`{OperationTelemetry.RetryEvent}`", TelemetryPage.Text, StringComparison.Ordinal);
    }

    private static IEnumerable<LoggerMessageAttribute> LogEvents => new[] { typeof(Log), typeof(WebLog) }
        .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.Public).Select(method => method.GetCustomAttribute<LoggerMessageAttribute>()).OfType<LoggerMessageAttribute>());

    private static string KindOf(Instrument instrument) => instrument.GetType().Name switch
    {
        var name when name.StartsWith("Histogram", StringComparison.Ordinal) => "histogram",
        var name when name.StartsWith("ObservableCounter", StringComparison.Ordinal) => "counter",
        // To Prometheus a sum that can decrease is a gauge.
        _ => "gauge",
    };

    private static ClusterRouter Router()
    {
        var options = new DatabaseRouterOptions();
        foreach (var (name, port) in new[] { ("primary", 1), ("analytics", 2) }) options.Hosts[name] = new DatabaseHostOptions { ConnectionString = $"Host=127.0.0.1;Port={port}" };
        options.Routes["analytics"] = new DatabaseRouteOptions { Wait = TimeSpan.FromMilliseconds(100) };
        return new ClusterRouter(RouterConfigurationBuilder.Build(options), createProbe: host => FakeProbe.Of(host.IsConfiguredPrimary ? TestTopology.Primary(100) : TestTopology.Replica(100)));
    }
}
