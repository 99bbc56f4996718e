namespace ReplicaRouter;

/// <summary>The places of a pool, in several tiers: the first tier that has a free one gives it, to whoever comes first. Takes no lock as long as there is a free one.</summary>
/// <param name="sizes">Places of each tier.</param>
/// <param name="time">The clock.</param>
internal sealed class Places(int[] sizes, TimeProvider time)
{
    public const int MostTiers = 6;
    private const int FirstSize = 2;

    // Where each tier's count begins: all of them are one number, so that taking a place is one exchange.
    private static ReadOnlySpan<byte> Shifts => [0, 2, 4, 7, 11, 16, 63];

    private readonly Lock _lock = new();
    private readonly Queue<TaskCompletionSource<int>> _queue = new();
    private long _taken;
    private int _waiting;
    private bool _isAbolished;

    /// <summary>So many places in all, by tiers: each has as many as all before it, and the last one the rest. So about half of what is taken is in full ones.</summary>
    public static int[] Sizes(int count)
    {
        List<int> sizes = [];
        for (var left = count; left > 0; left -= sizes[^1]) sizes.Add(sizes.Count == MostTiers - 1 ? left : Math.Min(left, Math.Max(FirstSize, sizes.Sum())));
        return [.. sizes];
    }

    /// <summary>Takes a place if there is a free one, and nobody waits for one.</summary>
    /// <returns>Its tier, or -1.</returns>
    public int TryTake() => Volatile.Read(ref _waiting) > 0 ? -1 : TryTakeFirst();

    /// <summary>Takes a place of one tier, likewise.</summary>
    public bool TryTake(int tier)
    {
        if (Volatile.Read(ref _waiting) > 0) return false;
        while (true)
        {
            var taken = Volatile.Read(ref _taken);
            if (CountOf(tier, taken) >= sizes[tier]) return false;
            if (Interlocked.CompareExchange(ref _taken, taken + One(tier), taken) == taken) return true;
        }
    }

    /// <summary>Takes a place once it is the caller's turn.</summary>
    /// <returns>Its tier. When there are no places any more, it says nothing.</returns>
    /// <exception cref="TimeoutException">It took too long.</exception>
    public async Task<int> TakeAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        var turn = LineUp();
        try
        {
            return await turn.Task.WaitAsync(timeout, time, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            GiveUp(turn);
            throw;
        }
    }

    /// <inheritdoc cref="TakeAsync"/>
    public int Take(TimeSpan timeout)
    {
        var turn = LineUp();
        // Not by way of a thread of the pool: all of them may be waiting here.
        if (turn.Task.Wait(timeout)) return turn.Task.Result;
        GiveUp(turn);
        throw new TimeoutException();
    }

    private TaskCompletionSource<int> LineUp()
    {
        var turn = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            _queue.Enqueue(turn);
            // Before it looks for a free place: whoever returns one from here on looks for those who wait.
            Interlocked.Increment(ref _waiting);
            Serve();
        }

        return turn;
    }

    private void GiveUp(TaskCompletionSource<int> turn)
    {
        // Its turn may have come in the same moment.
        if (!turn.TrySetCanceled(CancellationToken.None)) Return(turn.Task.Result);
    }

    /// <summary>Has nobody wait any more: others count from now on.</summary>
    public void Abolish()
    {
        lock (_lock)
        {
            _isAbolished = true;
            Serve();
        }
    }

    public void Return(int tier)
    {
        Interlocked.Add(ref _taken, -One(tier));
        if (Volatile.Read(ref _waiting) == 0) return;
        lock (_lock) Serve();
    }

    /// <summary>Gives free places to those who wait, and forgets those who have gone.</summary>
    private void Serve()
    {
        while (_queue.TryPeek(out var turn))
        {
            if (!turn.Task.IsCompleted)
            {
                var tier = _isAbolished ? 0 : TryTakeFirst();
                if (tier < 0) return;
                if (!turn.TrySetResult(tier)) Interlocked.Add(ref _taken, -One(tier));
            }

            _queue.Dequeue();
            Interlocked.Decrement(ref _waiting);
        }
    }

    private int TryTakeFirst()
    {
        while (true)
        {
            var taken = Volatile.Read(ref _taken);
            var tier = 0;
            while (tier < sizes.Length && CountOf(tier, taken) >= sizes[tier]) tier++;
            if (tier == sizes.Length) return -1;
            if (Interlocked.CompareExchange(ref _taken, taken + One(tier), taken) == taken) return tier;
        }
    }

    private static long CountOf(int tier, long taken) => (taken >> Shifts[tier]) & ((1L << (Shifts[tier + 1] - Shifts[tier])) - 1);

    private static long One(int tier) => 1L << Shifts[tier];
}
