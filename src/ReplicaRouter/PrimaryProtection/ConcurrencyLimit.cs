namespace ReplicaRouter.PrimaryProtection;

/// <summary>Finds how many concurrent fallback reads the primary can take, by comparing its latency with its usual latency. Not thread-safe: callers hold a lock.</summary>
/// <remarks>
/// <para>
/// The rule is TCP Vegas as in Netflix's concurrency-limits (<c>VegasLimit</c>): grow while work does not queue at the server, shrink when it does, and change nothing while
/// the limit is not what holds work back. By Little's law (concurrency = throughput × latency), more concurrency at twice the latency gives no more throughput. So a command
/// that takes twice as long as usual indicates a queue as long as the work in service. The limit grows by its square root, the headroom of Envoy's gradient controller
/// (<c>limit = limit × gradient + √limit</c>). At first it doubles, as in TCP's slow start.
/// </para>
/// <para>
/// The gradient itself is not used. Vegas and Envoy divide by the shortest latency, Gradient2 by a long-term mean. If look-ups and reports share a route, the shortest latency
/// is that of a look-up, and one more report moves the mean. Here each sample is compared with the distribution of the same route's usual samples, as in
/// <see cref="OutlierEjection"/>: the primary is overloaded when a command takes more than twice as long as a usual one more often than not (a Mann-Whitney statistic with 1 : 2
/// instead of 1 : 1). Reports among look-ups are usual and do not look like overload. One slow route is enough: fallback reads whose usual latency was measured during an overload
/// must not outvote the primary's own work.
/// </para>
/// <para>
/// The usual latency is measured while at most one fallback read is in flight: it is that of the primary's own work and of strong reads. A route without such samples uses its
/// first window instead, at the low initial limit. A faster window replaces the usual latency. Processes share no state except the primary's latency. All of them decrease by a
/// factor and increase by a step, so they converge to equal shares (D. Chiu, R. Jain, "Analysis of the Increase and Decrease Algorithms for Congestion Avoidance", 1989).
/// </para>
/// </remarks>
/// <param name="floor">Lower bound of the limit.</param>
/// <param name="ceiling">Upper bound of the limit. If it equals the floor, the limit is constant.</param>
/// <param name="routes">Number of routes.</param>
/// <param name="time">The clock.</param>
internal sealed class ConcurrencyLimit(int floor, int ceiling, int routes, TimeProvider time)
{
    /// <summary>Time between two changes of the limit, as in Envoy (<c>concurrency_update_interval</c>). The limit can grow from 2 to 30 in four windows.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromMilliseconds(100);

    /// <summary>How long the limit is kept after the last fallback read, so that flapping replicas do not reset it each time.</summary>
    public static readonly TimeSpan Memory = TimeSpan.FromSeconds(5);

    /// <summary>Samples needed for a change. With lognormal latencies (sigma 0.5), their mean share is accurate to 0.05. At usual speed it is 0.84; the threshold is 0.5.</summary>
    private const int LeastSamples = 16;

    /// <summary>Number of usual samples to keep; older ones are outdated.</summary>
    private const int History = 256;

    /// <summary>A command within this many ms of the usual latency is not slow: network and scheduler vary by as much. Probes use the same tolerance.</summary>
    private const double ToleranceMs = 0.5;

    /// <summary>Factor for the limit in overload. If the queue is as long as the work in service, a quarter less halves the queue and keeps the server busy.</summary>
    private const double Relief = 0.75;

    private readonly RouteSpeed[] _routes = [.. Enumerable.Range(0, routes).Select(_ => new RouteSpeed())];
    private readonly int _least = Math.Min(floor, ceiling);
    private double _limit = Math.Min(floor, ceiling);
    private long _windowAt = time.GetTimestamp();
    private int _samples;
    private int _peak;
    private bool _isHeld;

    /// <summary>How many fallback reads may be in flight.</summary>
    public int Current => (int)_limit;

    /// <summary>Whether no overload has occurred yet, so that the limit still doubles.</summary>
    public bool IsStarting { get; private set; } = true;

    /// <summary>Starts over, for the first fallback read after a pause.</summary>
    /// <param name="underWay">Commands in flight on the primary: the initial limit, so that fallback reads at most double this process's work there.</param>
    public void Restart(int underWay)
    {
        var now = time.GetTimestamp();
        foreach (var route in _routes) route.Restart(isUsualOver: time.GetElapsedTime(route.Usual.SampledAt, now) > Memory);
        (_limit, IsStarting) = (Math.Clamp(underWay, _least, ceiling), true);
        BeginWindow(now);
    }

    /// <summary>Forgets everything, because another server is the primary.</summary>
    public void Forget()
    {
        foreach (var route in _routes) route.Restart(isUsualOver: true);
        Restart(0);
    }

    /// <summary>Records how long a command took on the primary.</summary>
    /// <param name="route">Its route.</param>
    /// <param name="milliseconds">Its duration.</param>
    /// <param name="reads">Fallback reads in flight.</param>
    /// <param name="isHeld">Whether another read is queued because of the limit.</param>
    /// <returns>Whether the limit has increased.</returns>
    public bool Record(int route, double milliseconds, int reads, bool isHeld)
    {
        if (!double.IsFinite(milliseconds) || milliseconds < 0) return false;
        var (now, sample) = (time.GetTimestamp(), Math.Max(milliseconds, 0.001));
        if (reads < RouterConfiguration.UsualLeastPrimaryReads)
        {
            _routes[route].Usual.Add(sample, History, now);
            return false;
        }

        _peak = Math.Max(_peak, reads);
        _isHeld |= isHeld;
        // A command that began under the previous limit says nothing about the current one.
        if (now - time.Ticks(TimeSpan.FromMilliseconds(sample)) < _windowAt) return false;
        _samples++;
        _routes[route].Compare(sample, now);
        return _samples >= LeastSamples && time.GetElapsedTime(_windowAt, now) >= Window && EndWindow(now);
    }

    private bool EndWindow(long now)
    {
        var before = Current;
        var (isOverloaded, isJudged) = (false, false);
        foreach (var route in _routes)
        {
            if (route.TryJudge() is not { } isSlow) continue;
            (isOverloaded, isJudged) = (isOverloaded || isSlow, true);
        }

        if (isOverloaded) (_limit, IsStarting) = (Math.Max(_least, Relief * Math.Min(_limit, _peak)), false);
        else if (isJudged && _isHeld) _limit = Math.Min(ceiling, IsStarting ? 2 * _limit : _limit + Math.Sqrt(_limit));
        foreach (var route in _routes) route.Learn();
        BeginWindow(now);
        return Current > before;
    }

    private void BeginWindow(long now) => (_windowAt, _samples, _peak, _isHeld) = (now, 0, 0, false);

    /// <summary>How long one route's commands take on the primary.</summary>
    private sealed class RouteSpeed
    {
        private HostLatency _window = new();
        private int _compared;
        private double _shares;

        public HostLatency Usual { get; private set; } = new();

        private bool IsKnown => Usual.Samples >= LeastSamples;

        public void Restart(bool isUsualOver)
        {
            if (isUsualOver) Usual = new();
            _window = new();
            (_compared, _shares) = (0, 0);
        }

        /// <summary>Compares a sample with the usual ones: adds the share of them that took at least half as long.</summary>
        public void Compare(double sample, long now)
        {
            _window.Add(sample, History, now);
            if (!IsKnown) return;
            _compared++;
            _shares += Usual.ShareFrom(Math.Min(sample / EjectionSettings.Ratio, sample - ToleranceMs));
        }

        /// <returns>Whether commands take more than twice as long as usual; null if there are too few samples.</returns>
        public bool? TryJudge()
        {
            if (_compared < LeastSamples) return null;
            var share = _shares / _compared;
            (_compared, _shares) = (0, 0);
            return share < 0.5;
        }

        /// <summary>Uses the window as the usual latency if none is known or the known one is slower. A route with too few samples keeps collecting.</summary>
        public void Learn()
        {
            if (_window.Samples >= LeastSamples && (!IsKnown || _window.Typical < Usual.Typical)) (Usual, _window) = (_window, Usual);
            if (IsKnown) _window = new();
        }
    }
}
