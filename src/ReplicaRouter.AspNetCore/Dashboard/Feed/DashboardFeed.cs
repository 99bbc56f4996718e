using System.Net.ServerSentEvents;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ReplicaRouter.Dashboard.Feed;

/// <summary>Samples the router once a second, keeps its recent history, and streams both to the open pages.</summary>
internal sealed class DashboardFeed(IServiceProvider services, RouterRegistration registration, Operators operators, Orders orders, TimeProvider time, CancellationToken stopToken)
{
    /// <summary>Most events queued between two samples; the oldest are dropped.</summary>
    private const int MostHappenings = 200;

    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly History _history = new();
    private readonly Pages _pages = new(time, stopToken);
    private readonly Channel<(DateTimeOffset At, Happening What)> _happened = Channel.CreateBounded<(DateTimeOffset, Happening)>(
        new BoundedChannelOptions(MostHappenings) { FullMode = BoundedChannelFullMode.DropOldest });
    private readonly TaskCompletionSource<Sampler> _sampler = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly InstanceMessage _instance = new(
        services.GetRequiredService<IHostEnvironment>().ApplicationName, Environment.MachineName, Environment.ProcessId, DatabaseRouterTelemetry.Version ?? "", time.GetUtcNow().ToUnixTimeMilliseconds());

    private RouterStatusMessage? _status;
    private long _lastId;

    /// <summary>Starts sampling, which runs until the application stops.</summary>
    public void Start()
    {
        var router = registration.Of(services);
        _ = Task.Run(() => RunAsync(router), CancellationToken.None);
    }

    /// <summary>Returns the feed as server-sent events; 503 when too many streams are open.</summary>
    public async Task<IResult> StreamAsync(HttpContext context)
    {
        if (_pages.TryEnter() is not { } place) return Results.Text($"{Pages.Most} dashboard streams are already open.\n", statusCode: StatusCodes.Status503ServiceUnavailable);
        context.Response.RegisterForDispose(place);
        var isOperators = await operators.IncludeAsync(context).ConfigureAwait(false);
        var sampler = await _sampler.Task.WaitAsync(context.RequestAborted).ConfigureAwait(false);
        // nginx buffers proxied responses unless this header turns that off. ASP.NET Core itself turns off storing, compression and its own buffering.
        context.Response.Headers["X-Accel-Buffering"] = "no";
        return TypedResults.ServerSentEvents(_pages.ReadAsync(isOperators, () => Item(Welcome(sampler), isOperators), _lock, context.RequestAborted));
    }

    /// <summary>Returns the full state once, for pages that no stream reaches.</summary>
    public async Task<IResult> SnapshotAsync(HttpContext context)
    {
        var isOperators = await operators.IncludeAsync(context).ConfigureAwait(false);
        var sampler = await _sampler.Task.WaitAsync(context.RequestAborted).ConfigureAwait(false);
        string json;
        lock (_lock) json = Item(Welcome(sampler), isOperators).Data;
        context.Response.Headers.CacheControl = "no-store";
        return Results.Text(json, "application/json");
    }

    private WelcomeMessage Welcome(Sampler sampler) =>
        new(_history.Hosts, sampler.Routes, _instance, _history.LastMinutes(), _history.LastHour(), _history.LastEvents(), _status!);

    private static SseItem<string> Item(WelcomeMessage message, bool isOperators) =>
        new(JsonSerializer.Serialize(isOperators ? message : message.WithoutErrors(), DashboardJson.Default.WelcomeMessage), "welcome") { ReconnectionInterval = s_interval };

    private static SseItem<string> Item(UpdateMessage message, bool isOperators) =>
        new(JsonSerializer.Serialize(isOperators ? message : message.WithoutErrors(), DashboardJson.Default.UpdateMessage), "update");

    private async Task RunAsync(DatabaseRouter router)
    {
        var sampler = new Sampler(router, orders, time);
        var topologyEvents = new TopologyEvents(() => orders.By);
        var fallbackEvents = new FallbackEvents();
        var derivation = new Lock();
        void OnChanged(TopologySnapshot before, TopologySnapshot after)
        {
            lock (derivation)
            {
                orders.Note(before, after);
                foreach (var happening in topologyEvents.Between(before, after)) _happened.Writer.TryWrite((time.GetUtcNow(), happening));
            }
        }

        Publish(sampler, sampler.Status(), null, []);
        _sampler.SetResult(sampler);
        router.Engine.Store.Changed += OnChanged;
        try
        {
            await SampleAsync(sampler, fallbackEvents).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The application is stopping.
        }
        finally
        {
            router.Engine.Store.Changed -= OnChanged;
        }
    }

    private async Task SampleAsync(Sampler sampler, FallbackEvents fallbackEvents)
    {
        var logger = services.GetRequiredService<ILoggerFactory>().CreateLogger("ReplicaRouter.Dashboard");
        using var timer = new PeriodicTimer(s_interval, time);
        var tick = timer.WaitForNextTickAsync(stopToken).AsTask();
        var happened = _happened.Reader.WaitToReadAsync(stopToken).AsTask();
        while (!stopToken.IsCancellationRequested)
        {
            await (await Task.WhenAny(tick, happened).ConfigureAwait(false)).ConfigureAwait(false);
            var isTick = tick.IsCompleted;
            try
            {
                var status = sampler.Status();
                if (isTick)
                {
                    foreach (var happening in fallbackEvents.Since(status.Fallbacks)) _happened.Writer.TryWrite((time.GetUtcNow(), happening));
                }

                Publish(sampler, status, isTick ? sampler.Point(status) : null, TakeEvents());
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                WebLog.DashboardSamplingFailed(logger, e);
            }

            if (isTick) tick = timer.WaitForNextTickAsync(stopToken).AsTask();
            if (happened.IsCompleted) happened = _happened.Reader.WaitToReadAsync(stopToken).AsTask();
        }
    }

    private FeedEvent[] TakeEvents()
    {
        var events = new List<FeedEvent>();
        while (_happened.Reader.TryRead(out var next))
        {
            var (kind, severity, host, text, reason, error) = next.What;
            events.Add(new FeedEvent(++_lastId, next.At.ToUnixTimeMilliseconds(), kind, severity, host, text, reason, error));
        }

        return [.. events];
    }

    private void Publish(Sampler sampler, RouterStatusMessage status, HistoryPoint? point, FeedEvent[] events)
    {
        lock (_lock)
        {
            _status = status;
            var areOthers = _history.Reorder([.. status.Hosts.Select(host => host.Name)]);
            var step = point is null ? null : _history.Add(point);
            _history.Add(events);
            if (!_pages.AreOpen) return;
            // When the set of hosts changes, pages start over.
            if (areOthers) _pages.Send(isOperators => Item(Welcome(sampler), isOperators));
            else _pages.Send(isOperators => Item(new UpdateMessage(status, point, step, events), isOperators));
        }
    }
}
