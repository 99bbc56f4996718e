namespace ReplicaRouter.Dashboard.Feed;

/// <summary>How long commands took over about the last minute, by host and by route.</summary>
/// <remarks>From the pools' histograms, which only grow: the last minute is what they have more than a minute ago.</remarks>
internal sealed class Percentiles
{
    /// <summary>Readings that are kept, ten samples of a second apart.</summary>
    private const int Readings = 6;
    private const int SamplesOfReading = 10;

    private readonly Queue<Dictionary<string, long[]>> _readings = new();
    private Dictionary<string, long[]> _lastMinute = [];
    private int _samples;

    /// <summary>Looks at the pools, once a second.</summary>
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

    /// <summary>The counts of a host's commands by duration.</summary>
    public ReadOnlySpan<long> Host(string name) => _lastMinute.GetValueOrDefault(OfHost(name));

    /// <summary>The counts of a route's commands by duration.</summary>
    public ReadOnlySpan<long> Route(string name) => _lastMinute.GetValueOrDefault(OfRoute(name));

    // A host may be called as a route is.
    private static string OfHost(string name) => "host " + name;

    private static string OfRoute(string name) => "route " + name;

    private static long[] CountsOf(Dictionary<string, long[]> all, string key) => all.TryGetValue(key, out var counts) ? counts : all[key] = new long[DurationHistogram.Size];

    /// <remarks>Never below zero: what a host had counted that was removed is gone from its routes.</remarks>
    private static long[] Since(long[]? before, long[] now) => before is null ? now : [.. now.Zip(before, (later, earlier) => Math.Max(0, later - earlier))];
}
