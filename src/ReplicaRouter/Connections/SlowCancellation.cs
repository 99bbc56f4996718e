namespace ReplicaRouter;

/// <summary>Cancels work without holding up threads that others need.</summary>
/// <remarks>
/// Npgsql asks the server over a further connection, and blocks the thread that cancels meanwhile. Done by threads of the pool, a few at once hold up all
/// that the process has to do until the pool adds threads, which takes it half a second for each.
/// </remarks>
internal sealed class SlowCancellation
{
    private const int MaxThreads = 16;

    /// <summary>On hosts that are lost, where each takes seconds.</summary>
    public static readonly SlowCancellation Lost = new();

    /// <summary>On all others, where nobody is to wait for those.</summary>
    public static readonly SlowCancellation Usual = new();

    private readonly Lock _gate = new();
    private readonly Queue<CancellationTokenSource> _waiting = new();
    private int _threads;

    public void Cancel(CancellationTokenSource source)
    {
        lock (_gate)
        {
            _waiting.Enqueue(source);
            if (_threads == MaxThreads) return;
            _threads++;
        }

        new Thread(CancelAll) { IsBackground = true, Name = "ReplicaRouter cancel" }.Start();
    }

    private void CancelAll()
    {
        while (true)
        {
            CancellationTokenSource? source;
            lock (_gate)
            {
                if (!_waiting.TryDequeue(out source))
                {
                    _threads--;
                    return;
                }
            }

            CancelOne(source);
        }
    }

    private static void CancelOne(CancellationTokenSource source)
    {
        try
        {
            source.Cancel();
        }
        catch (AggregateException)
        {
            // Thrown by what the work itself had registered with its token, after its caller has left.
        }
    }
}
