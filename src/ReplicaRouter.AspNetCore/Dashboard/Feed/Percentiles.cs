namespace ReplicaRouter.Dashboard.Feed;

/// <summary>Durations of commands over about the last minute, by host and by route.</summary>
/// <remarks>The pools' histograms are cumulative; the last minute is the difference to their counts a minute ago.</remarks>
internal sealed class Percentiles
{
    /// <summary>Readings kept, ten one-second samples apart.</summary>
    private const int Readings = 6;
    private const int SamplesOfReading = 10;

    private readonly Queue<Dictionary<string, long[]>> _readings = new();
    private Dictionary<string, long[]> _lastMinute = [];
    private int _samples;

    /// <summary>Reads the pools. Call it once a second.</summary>
    public void Sample(IEnumerable<HostPools> hosts)
    {
        var now = new Dictionary<string, long[]>();
        foreach (var pool in hosts.SelectMany(host => host.All))
        {
            pool.Durations.AddTo(CountsOf(now, OfHost(pool.Host.Name)));
            pool.Durations.AddTo(CountsOf(now, OfRoute(pool.Plan.Name)));
        }

        var before = _readings.Count > 0 ? _readings.Peek() : now;
        _lastMinute = now.ToDictionary(counts => counts.Key, counts => Since(before.GetValueOrDefault(counts.Key), counts.Value));
        if (_samples++ % SamplesOfReading != 0) return;
        _readings.Enqueue(now);
        if (_readings.Count > Readings) _readings.Dequeue();
    }

    /// <summary>Returns the counts of a host's commands by duration.</summary>
    public ReadOnlySpan<long> Host(string name) => _lastMinute.GetValueOrDefault(OfHost(name));

    /// <summary>Returns the counts of a route's commands by duration.</summary>
    public ReadOnlySpan<long> Route(string name) => _lastMinute.GetValueOrDefault(OfRoute(name));

    // A host and a route can have the same name.
    private static string OfHost(string name) => "host " + name;

    private static string OfRoute(string name) => "route " + name;

    private static long[] CountsOf(Dictionary<string, long[]> all, string key) => all.TryGetValue(key, out var counts) ? counts : all[key] = new long[DurationHistogram.Size];

    /// <remarks>Never negative: when a host is removed, its counts vanish from its routes.</remarks>
    private static long[] Since(long[]? before, long[] now) => before is null ? now : [.. now.Zip(before, (later, earlier) => Math.Max(0, later - earlier))];
}
