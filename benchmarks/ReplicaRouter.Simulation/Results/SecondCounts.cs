namespace ReplicaRouter.Simulation;

/// <summary>Counts events by the second of virtual time in which they happened.</summary>
internal sealed class SecondCounts
{
    private readonly List<int> _seconds = [];

    public void Count(long at)
    {
        var second = (int)(at / TimeSpan.TicksPerSecond);
        while (_seconds.Count <= second) _seconds.Add(0);
        _seconds[second]++;
    }

    public int Most(int fromSecond, int toSecond)
    {
        var most = 0;
        for (var i = Math.Max(0, fromSecond); i < Math.Min(toSecond, _seconds.Count); i++) most = Math.Max(most, _seconds[i]);
        return most;
    }

    public double Average(int fromSecond, int toSecond)
    {
        var sum = 0;
        for (var i = Math.Max(0, fromSecond); i < Math.Min(toSecond, _seconds.Count); i++) sum += _seconds[i];
        return toSecond <= fromSecond ? 0 : sum / (double)(toSecond - fromSecond);
    }
}
