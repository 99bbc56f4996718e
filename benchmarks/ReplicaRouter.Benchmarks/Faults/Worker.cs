using Npgsql;

namespace ReplicaRouter.Benchmarks.Faults;

/// <summary>Runs one operation after another and records them. Never retries one.</summary>
internal sealed class Worker(bool isWrite, TimeSpan pause, Func<CancellationToken, Task<Answer>> operate)
{
    // No limit of the arms: it only ends operations that would never end.
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);
    private readonly Lock _lock = new();
    private readonly List<Operation> _operations = [];
    private long? _underWay;
    private bool _isStopped;

    public async Task RunAsync(CancellationToken ct)
    {
        while (TryBegin(out var started))
        {
            End(await OperateAsync(started, ct));
            await Task.Delay(pause, CancellationToken.None);
        }
    }

    /// <summary>Starts no further operation. One in flight counts with its time so far.</summary>
    public IReadOnlyList<Operation> Stop()
    {
        lock (_lock)
        {
            _isStopped = true;
            if (_underWay is { } started) _operations.Add(new(isWrite, started, Timeline.Now));
            _underWay = null;
            return _operations;
        }
    }

    private bool TryBegin(out long started)
    {
        lock (_lock)
        {
            started = Timeline.Now;
            _underWay = started;
            return !_isStopped;
        }
    }

    private void End(Operation operation)
    {
        lock (_lock)
        {
            if (_isStopped) return;
            _underWay = null;
            _operations.Add(operation);
        }
    }

    private async Task<Operation> OperateAsync(long started, CancellationToken ct)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(ct);
        bound.CancelAfter(s_limit);
        try
        {
            var answer = await operate(bound.Token);
            return new(isWrite, started, Timeline.Now) { Answer = answer };
        }
        catch (Exception failed)
        {
            return new(isWrite, started, Timeline.Now) { Error = Describe(failed), IsCutOff = failed is CutOffException };
        }
    }

    private static string Describe(Exception failed) => failed switch
    {
        PostgresException postgres => $"{postgres.SqlState} {postgres.MessageText}",
        { InnerException: { } inner } => $"{failed.GetType().Name} ({Describe(inner)})",
        _ => $"{failed.GetType().Name}: {failed.Message}",
    };
}
