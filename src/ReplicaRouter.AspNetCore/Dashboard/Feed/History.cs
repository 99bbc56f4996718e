namespace ReplicaRouter.Dashboard.Feed;

/// <summary>The data of the charts and the event list: five minutes by the second, an hour in steps of 15 s, and the last events. Not thread-safe.</summary>
internal sealed class History
{
    /// <summary>Five minutes, one point a second.</summary>
    public const int Points = 300;

    /// <summary>An hour, one step every 15 s.</summary>
    public const int Steps = 240;

    private const int PointsOfStep = 15;
    private const int Events = 200;

    private readonly Ring<HistoryPoint> _points = new(Points);
    private readonly Ring<HistoryPoint> _steps = new(Steps);
    private readonly Ring<FeedEvent> _events = new(Events);
    private readonly List<HistoryPoint> _step = new(PointsOfStep);

    /// <summary>The hosts, in the order of the points' arrays.</summary>
    public string[] Hosts { get; private set; } = [];

    public HistoryPoint[] LastMinutes() => _points.ToArray();

    public HistoryPoint[] LastHour() => _steps.ToArray();

    public FeedEvent[] LastEvents() => _events.ToArray();

    /// <returns>The step that this point completes, or null.</returns>
    public HistoryPoint? Add(HistoryPoint point)
    {
        _points.Add(point);
        _step.Add(point);
        if (_step.Count < PointsOfStep) return null;
        var step = HistoryPoint.Of(_step);
        _step.Clear();
        _steps.Add(step);
        return step;
    }

    public void Add(IEnumerable<FeedEvent> events)
    {
        foreach (var happened in events) _events.Add(happened);
    }

    /// <summary>Rearranges all points for the current hosts. New hosts have no past.</summary>
    /// <returns>Whether the hosts or their order changed.</returns>
    public bool Reorder(string[] hosts)
    {
        if (hosts.SequenceEqual(Hosts)) return false;
        int[] places = [.. hosts.Select(host => Array.IndexOf(Hosts, host))];
        Reorder(_points, places);
        Reorder(_steps, places);
        _step.Clear();
        Hosts = hosts;
        return true;
    }

    private static void Reorder(Ring<HistoryPoint> ring, int[] places)
    {
        var points = ring.ToArray();
        ring.Clear();
        foreach (var point in points) ring.Add(point.With(places));
    }
}
