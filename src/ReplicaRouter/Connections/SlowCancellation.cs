namespace ReplicaRouter;

/// <summary>Cancels work on hosts that hang, where that takes seconds each, without holding up threads that others need.</summary>
internal static class SlowCancellation
{
    private const int MaxThreads = 16;

    private static readonly Lock Gate = new();
    private static readonly Queue<CancellationTokenSource> Waiting = new();
    private static int _threads;

    public static void Cancel(CancellationTokenSource source)
    {
        lock (Gate)
        {
            Waiting.Enqueue(source);
            if (_threads == MaxThreads) return;
            _threads++;
        }

        new Thread(CancelAll) { IsBackground = true, Name = "ReplicaRouter cancel" }.Start();
    }

    private static void CancelAll()
    {
        while (true)
        {
            CancellationTokenSource? source;
            lock (Gate)
            {
                if (!Waiting.TryDequeue(out source))
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
