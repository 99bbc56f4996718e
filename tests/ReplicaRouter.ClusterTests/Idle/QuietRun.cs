namespace ReplicaRouter.ClusterTests.Idle;

/// <summary>What the operations of one router met after quiet times.</summary>
internal sealed class QuietRun
{
    private readonly List<(string Operation, TimeSpan Took)> _firsts = [];
    private readonly List<string> _errors = [];

    public IReadOnlyList<string> Errors => _errors;

    public (string Operation, TimeSpan Took) Longest => _firsts.MaxBy(first => first.Took);

    public double MedianMs => _firsts.Select(first => first.Took.TotalMilliseconds).Order().ElementAt(_firsts.Count / 2);

    /// <summary>Runs one operation, another one each time, and then all others at once.</summary>
    public async Task OperateAsync(IdleOperations operations, int time)
    {
        var first = operations.All.ElementAt(time % operations.All.Count);
        var startedAt = TimeProvider.System.GetTimestamp();
        await RunAsync(first.Key, first.Value);
        _firsts.Add((first.Key, TimeProvider.System.GetElapsedTime(startedAt)));
        await Task.WhenAll(operations.All.Where(other => other.Key != first.Key).Select(other => RunAsync(other.Key, other.Value)));
    }

    private async Task RunAsync(string name, Func<Task> operation)
    {
        try
        {
            await operation();
        }
        catch (Exception e)
        {
            lock (_errors) _errors.Add($"{name}: {e}");
        }
    }
}
