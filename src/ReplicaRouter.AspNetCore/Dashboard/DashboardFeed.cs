using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ReplicaRouter.Dashboard;

/// <summary>Samples the router once a second, keeps what happened lately, and tells the open pages.</summary>
internal sealed class DashboardFeed(IServiceProvider services, TimeProvider time, CancellationToken stopToken)
{
    /// <summary>Five minutes.</summary>
    private const int Points = 300;
    private const int Events = 200;

    // A page that is so far behind is sent away; when it connects again it gets all anew.
    private const int Backlog = 16;

    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly Ring<HistoryPoint> _points = new(Points);
    private readonly Ring<RouterEvent> _events = new(Events);
    private readonly HashSet<Channel<string>> _pages = [];
    private readonly Channel<(DateTimeOffset At, Happening What)> _happened = Channel.CreateBounded<(DateTimeOffset, Happening)>(
        new BoundedChannelOptions(Events) { FullMode = BoundedChannelFullMode.DropOldest });
    private readonly TaskCompletionSource<Sampler> _sampler = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private RouterStatusMessage? _status;
    private long _lastId;

    /// <summary>Runs until the application stops.</summary>
    public void Start()
    {
        var router = services.GetRequiredService<DatabaseRouter>();
        _ = Task.Run(() => RunAsync(router), CancellationToken.None);
    }

    /// <summary>The feed as server-sent events: all that is known, then what is new.</summary>
    public IResult Stream(HttpContext context) => TypedResults.ServerSentEvents(ReadAsync(context.RequestAborted));

    private async IAsyncEnumerable<SseItem<string>> ReadAsync([EnumeratorCancellation] CancellationToken abortToken)
    {
        // An open page must not hold up the application's end.
        using var end = CancellationTokenSource.CreateLinkedTokenSource(abortToken, stopToken);
        var page = Channel.CreateBounded<string>(new BoundedChannelOptions(Backlog) { SingleReader = true });
        try
        {
            var sampler = await _sampler.Task.WaitAsync(end.Token).ConfigureAwait(false);
            string welcome;
            lock (_lock)
            {
                _pages.Add(page);
                var message = new WelcomeMessage(sampler.Hosts, sampler.Routes, Points, _points.ToArray(), _events.ToArray(), _status!);
                welcome = JsonSerializer.Serialize(message, DashboardJson.Default.WelcomeMessage);
            }

            yield return new SseItem<string>(welcome, "welcome") { ReconnectionInterval = s_interval };
            while (await MoreAsync(page.Reader, end.Token).ConfigureAwait(false))
            {
                while (page.Reader.TryRead(out var update)) yield return new SseItem<string>(update, "update");
            }
        }
        finally
        {
            lock (_lock) _pages.Remove(page);
        }
    }

    private static async Task<bool> MoreAsync(ChannelReader<string> reader, CancellationToken endToken)
    {
        try
        {
            return await reader.WaitToReadAsync(endToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private async Task RunAsync(DatabaseRouter router)
    {
        var sampler = new Sampler(router, time);
        var topologyEvents = new TopologyEvents();
        var fallbackEvents = new FallbackEvents();
        var derivation = new Lock();
        void OnChanged(TopologySnapshot before, TopologySnapshot after)
        {
            lock (derivation)
            {
                foreach (var happening in topologyEvents.Between(before, after)) _happened.Writer.TryWrite((time.GetUtcNow(), happening));
            }
        }

        Publish(sampler.Status(), null, []);
        _sampler.SetResult(sampler);
        router.TopologyChanged += OnChanged;
        var logger = services.GetRequiredService<ILoggerFactory>().CreateLogger("ReplicaRouter.Dashboard");
        using var timer = new PeriodicTimer(s_interval, time);
        try
        {
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

                    Publish(status, isTick ? sampler.Point(status) : null, TakeEvents());
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    WebLog.DashboardSamplingFailed(logger, e);
                }

                if (isTick) tick = timer.WaitForNextTickAsync(stopToken).AsTask();
                if (happened.IsCompleted) happened = _happened.Reader.WaitToReadAsync(stopToken).AsTask();
            }
        }
        catch (OperationCanceledException)
        {
            // The application ends.
        }
        finally
        {
            router.TopologyChanged -= OnChanged;
        }
    }

    private RouterEvent[] TakeEvents()
    {
        var events = new List<RouterEvent>();
        while (_happened.Reader.TryRead(out var next))
        {
            var (kind, severity, host, text, reason) = next.What;
            events.Add(new RouterEvent(++_lastId, next.At.ToUnixTimeMilliseconds(), kind, severity, host, text, reason));
        }

        return [.. events];
    }

    private void Publish(RouterStatusMessage status, HistoryPoint? point, RouterEvent[] events)
    {
        lock (_lock)
        {
            _status = status;
            if (point is not null) _points.Add(point);
            foreach (var happened in events) _events.Add(happened);
            if (_pages.Count == 0) return;
            // Once for all pages.
            var update = JsonSerializer.Serialize(new UpdateMessage(status, point, events), DashboardJson.Default.UpdateMessage);
            foreach (var page in _pages)
            {
                if (!page.Writer.TryWrite(update)) page.Writer.TryComplete();
            }
        }
    }
}
