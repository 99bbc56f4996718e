namespace ReplicaRouter.PrimaryProtection;

/// <summary>Finds how many fallback reads the primary bears at once, from how long its commands take compared with usual. Not thread-safe: its user has a lock.</summary>
/// <remarks>
/// <para>
/// The rule is that of TCP Vegas as Netflix' concurrency-limits applies it (<c>VegasLimit</c>): grow while work does not queue at the server, shrink when it does, change nothing while
/// the limit is not what holds work back. By Little's law (concurrency = throughput × latency) more concurrency at twice the latency is no more throughput. So a command that takes twice as
/// long as usual is the sign of a queue as long as what the server works at. The step of growth is the square root of the limit, as the headroom of Envoy's gradient controller
/// (<c>limit = limit × gradient + √limit</c>). At first the limit doubles, as in TCP's slow start.
/// </para>
/// <para>
/// What was not taken: the gradient itself. Vegas and Envoy divide by the shortest latency, Gradient2 by a long-term mean. Where look-ups and reports share a route, the shortest is a look-up, and one
/// report more moves the mean. Here each sample is compared with the distribution of the same route's usual ones, as <see cref="OutlierEjection"/> does: the primary is overloaded when a
/// command takes more than twice as long as a usual one more often than not (a Mann-Whitney statistic; 1 : 2 instead of 1 : 1). Reports among look-ups are usual, and do not look like overload.
/// One route that is slow is enough: fallback reads whose usual latency was measured in an overload must not outvote the primary's own work.
/// </para>
/// <para>
/// Usual is what commands took while at most one fallback read was under way: the primary's own work, and strong reads. A route that had none of them there takes its first window instead, at the
/// low limit of the start. A quicker window replaces what was usual. Processes share no state: what they share is the primary's latency. All shrink by a part and grow by a step, so that they come to
/// equal shares (D. Chiu, R. Jain, "Analysis of the Increase and Decrease Algorithms for Congestion Avoidance", 1989).
/// </para>
/// </remarks>
/// <param name="floor">Fewest reads at once.</param>
/// <param name="ceiling">Most reads at once. Where it is the floor as well, the limit is constant.</param>
/// <param name="routes">Number of routes.</param>
/// <param name="time">The clock.</param>
internal sealed class ConcurrencyLimit(int floor, int ceiling, int routes, TimeProvider time)
{
    /// <summary>Time between two changes of the limit, as in Envoy (<c>concurrency_update_interval</c>): from 2 to 30 in four of them.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromMilliseconds(100);

    /// <summary>Time after the last fallback read in which the limit is kept: replicas that flap do not start it again each time.</summary>
    public static readonly TimeSpan Memory = TimeSpan.FromSeconds(5);

    /// <summary>Samples that a change of the limit takes. Of lognormal ones, sigma 0.5, their mean share is off by 0.05; that of a primary as fast as usual is 0.84, and 0.5 decides.</summary>
    private const int LeastSamples = 16;

    /// <summary>Samples that usual latencies are known by. More are older.</summary>
    private const int History = 256;

    /// <summary>Up to this much more than usual, in ms, a command is not slow: the network and the scheduler differ by as much. For probes, the same limit applies.</summary>
    private const double ToleranceMs = 0.5;

    /// <summary>What is left of the limit in overload: with a queue as long as what the server works at, a quarter less halves the queue and keeps the server busy.</summary>
    private const double Relief = 0.75;

    private readonly RouteSpeed[] _routes = [.. Enumerable.Range(0, routes).Select(_ => new RouteSpeed())];
    private readonly int _least = Math.Min(floor, ceiling);
    private double _limit = Math.Min(floor, ceiling);
    private long _windowAt = time.GetTimestamp();
    private int _samples;
    private int _peak;
    private bool _isHeld;

    /// <summary>Reads at once.</summary>
    public int Current => (int)_limit;

    /// <summary>Whether no overload was met yet, so that the limit doubles.</summary>
    public bool IsStarting { get; private set; } = true;

    /// <summary>Begins with the first fallback read for some time.</summary>
    /// <param name="underWay">Commands under way on the primary: at first the reads at most double this process's work there.</param>
    public void Restart(int underWay)
    {
        var now = time.GetTimestamp();
        foreach (var route in _routes) route.Restart(isUsualOver: time.GetElapsedTime(route.Usual.SampledAt, now) > Memory);
        (_limit, IsStarting) = (Math.Clamp(underWay, _least, ceiling), true);
        BeginWindow(now);
    }

    /// <summary>Forgets all: another server is the primary.</summary>
    public void Forget()
    {
        foreach (var route in _routes) route.Usual.Reset();
        Restart(0);
    }

    /// <summary>Notes how long a command took on the primary.</summary>
    /// <param name="route">Its route.</param>
    /// <param name="milliseconds">What it took.</param>
    /// <param name="reads">Fallback reads under way.</param>
    /// <param name="isHeld">Whether one more waits because of the limit.</param>
    /// <returns>Whether the limit has grown.</returns>
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
        // What began under the limit before says nothing of the present one.
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
            if (isUsualOver) Usual.Reset();
            _window.Reset();
            (_compared, _shares) = (0, 0);
        }

        /// <summary>Compares a sample with the usual ones, by the share of those that took at least half as long.</summary>
        public void Compare(double sample, long now)
        {
            _window.Add(sample, History, now);
            if (!IsKnown) return;
            _compared++;
            _shares += Usual.ShareFrom(Math.Min(sample / EjectionSettings.Ratio, sample - ToleranceMs));
        }

        /// <returns>Whether commands take more than twice as long as usual; null where there are too few yet to tell.</returns>
        public bool? TryJudge()
        {
            if (_compared < LeastSamples) return null;
            var share = _shares / _compared;
            (_compared, _shares) = (0, 0);
            return share < 0.5;
        }

        /// <summary>Takes the window for usual where nothing is known, or what is known was slower. A route of which little is known goes on collecting.</summary>
        public void Learn()
        {
            if (_window.Samples >= LeastSamples && (!IsKnown || _window.Typical < Usual.Typical)) (Usual, _window) = (_window, Usual);
            if (IsKnown) _window.Reset();
        }
    }
}
