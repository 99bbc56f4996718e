namespace ReplicaRouter.Testing.Processes;

/// <summary>Waits for a condition with a time-out.</summary>
internal static class Wait
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(10);

    /// <exception cref="LocalClusterException">The condition did not become true in time; <paramref name="complaint"/> is the message.</exception>
    internal static Task UntilAsync(Func<bool> condition, TimeSpan limit, Func<string> complaint, CancellationToken cancellationToken) =>
        UntilAsync(_ => Task.FromResult(condition()), limit, complaint, cancellationToken);

    /// <inheritdoc cref="UntilAsync(Func{bool}, TimeSpan, Func{string}, CancellationToken)"/>
    internal static Task UntilAsync(
        Func<CancellationToken, Task<bool>> condition, TimeSpan limit, Func<string> complaint, CancellationToken cancellationToken) =>
        WithinAsync(async bound =>
        {
            while (!await condition(bound).ConfigureAwait(false))
                await Task.Delay(s_pause, TimeProvider.System, bound).ConfigureAwait(false);
        }, limit, complaint, cancellationToken);

    /// <summary>Runs work with a time-out, which it reports differently from the caller's cancellation.</summary>
    internal static async Task WithinAsync(
        Func<CancellationToken, Task> work, TimeSpan limit, Func<string> complaint, CancellationToken cancellationToken)
    {
        using var clock = new CancellationTokenSource(limit, TimeProvider.System);
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, clock.Token);
        try
        {
            await work(bound.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException late) when (clock.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new LocalClusterException(complaint(), late);
        }
    }
}
