namespace ReplicaRouter.Dashboard.Feed;

/// <summary>Reduces many fallbacks to two events: a route starts to fall back, and it stops.</summary>
internal sealed class FallbackEvents
{
    /// <summary>Consecutive samples without a fallback that end an episode.</summary>
    public const int QuietSamples = 5;

    private readonly Dictionary<(string Route, string Reason), Episode> _episodes = [];

    /// <summary>Returns the events since the previous sample.</summary>
    /// <param name="fallbacks">The router's cumulative counts.</param>
    public IEnumerable<Happening> Since(IEnumerable<FallbackMessage> fallbacks)
    {
        foreach (var (route, reason, count) in fallbacks)
        {
            // Fallbacks from before the first sample are not events of now.
            if (!_episodes.TryGetValue((route, reason), out var episode)) _episodes[(route, reason)] = episode = new Episode(_isFirst ? count : 0);
            if (episode.Look(count) is { } began)
            {
                yield return began
                    ? new(EventKind.Fallback, Severity.Warning, null, $"Route {route} falls back", $"a host of its own group {reason}")
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

        /// <returns>True when the episode begins, false when it ends, null when nothing changes.</returns>
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
