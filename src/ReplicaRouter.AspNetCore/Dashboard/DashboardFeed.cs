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
    private readonly HashSet<Channel<SseItem<string>>> _pages = [];
    private readonly Channel<(DateTimeOffset At, Happening What)> _happened = Channel.CreateBounded<(DateTimeOffset, Happening)>(
        new BoundedChannelOptions(Events) { FullMode = BoundedChannelFullMode.DropOldest });
    private readonly TaskCompletionSource<Sampler> _sampler = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private RouterStatusMessage? _status;
    private string[] _hosts = [];
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
        var page = Channel.CreateBounded<SseItem<string>>(new BoundedChannelOptions(Backlog) { SingleReader = true });
        try
        {
            var sampler = await _sampler.Task.WaitAsync(end.Token).ConfigureAwait(false);
            SseItem<string> welcome;
            lock (_lock)
            {
                _pages.Add(page);
                welcome = Welcome(sampler);
            }

            yield return welcome;
            while (await MoreAsync(page.Reader, end.Token).ConfigureAwait(false))
            {
                while (page.Reader.TryRead(out var message)) yield return message;
            }
        }
        finally
        {
            lock (_lock) _pages.Remove(page);
        }
    }

    /// <summary>All that is known, in the order of the hosts that there are now.</summary>
    private SseItem<string> Welcome(Sampler sampler)
    {
        var message = new WelcomeMessage(_hosts, sampler.Routes, Points, _points.ToArray(), _events.ToArray(), _status!);
        return new SseItem<string>(JsonSerializer.Serialize(message, DashboardJson.Default.WelcomeMessage), "welcome") { ReconnectionInterval = s_interval };
    }

    private static async Task<bool> MoreAsync(ChannelReader<SseItem<string>> reader, CancellationToken endToken)
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

        Publish(sampler, sampler.Status(), null, []);
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

    private void Publish(Sampler sampler, RouterStatusMessage status, HistoryPoint? point, RouterEvent[] events)
    {
        lock (_lock)
        {
            _status = status;
            string[] hosts = [.. status.Hosts.Select(host => host.Name)];
            var isOther = !hosts.SequenceEqual(_hosts);
            if (isOther) Reorder(hosts);
            if (point is not null) _points.Add(point);
            foreach (var happened in events) _events.Add(happened);
            if (_pages.Count == 0) return;
            // Once for all pages. They begin anew with other hosts.
            var message = isOther
                ? Welcome(sampler)
                : new SseItem<string>(JsonSerializer.Serialize(new UpdateMessage(status, point, events), DashboardJson.Default.UpdateMessage), "update");
            foreach (var page in _pages)
            {
                if (!page.Writer.TryWrite(message)) page.Writer.TryComplete();
            }
        }
    }

    /// <summary>Has the points follow the hosts that there are now. Those that are new have no past.</summary>
    private void Reorder(string[] hosts)
    {
        int[] places = [.. hosts.Select(host => Array.IndexOf(_hosts, host))];
        var points = _points.ToArray();
        _points.Clear();
        foreach (var point in points) _points.Add(point.With(places));
        _hosts = hosts;
    }
}
