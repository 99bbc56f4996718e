namespace ReplicaRouter.Dashboard.Feed;

/// <summary>Makes two events of many fallbacks: when a route begins to fall back, and when it no longer does.</summary>
internal sealed class FallbackEvents
{
    /// <summary>Samples without a fallback after which it is over.</summary>
    public const int QuietSamples = 5;

    private readonly Dictionary<(string Route, string Reason), Episode> _episodes = [];

    /// <summary>What is new since the sample before.</summary>
    /// <param name="fallbacks">The router's counts so far.</param>
    public IEnumerable<Happening> Since(IEnumerable<FallbackMessage> fallbacks)
    {
        foreach (var (route, reason, count) in fallbacks)
        {
            // What was counted before the first sample is nothing that happens now.
            if (!_episodes.TryGetValue((route, reason), out var episode)) _episodes[(route, reason)] = episode = new Episode(_isFirst ? count : 0);
            if (episode.Look(count) is { } began)
            {
                yield return began
                    ? new(EventKind.Fallback, Severity.Warning, null, $"Route {route} falls back", $"the best host of its own group {reason}")
                    : new(EventKind.Fallback, Severity.Good, null, $"Route {route} no longer falls back ({reason})", $"{episode.Total} fell back");
            }
        }

        _isFirst = false;
    }

    private bool _isFirst = true;

    private sealed class Episode(long count)
    {
        private long _last = count;
        private int _quiet;
        private bool _isOn;

        public long Total { get; private set; }

        /// <returns>Whether it began; null when nothing changed.</returns>
        public bool? Look(long count)
        {
            var grown = count - _last;
            _last = count;
            if (grown > 0)
            {
                _quiet = 0;
                Total = _isOn ? Total + grown : grown;
                if (_isOn) return null;
                return _isOn = true;
            }

            if (!_isOn || ++_quiet < QuietSamples) return null;
            return _isOn = false;
        }
    }
}
