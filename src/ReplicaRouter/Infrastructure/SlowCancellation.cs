using System.Diagnostics.CodeAnalysis;

namespace ReplicaRouter.Infrastructure;

/// <summary>Cancels work without holding up threads that others need.</summary>
/// <remarks>
/// Npgsql asks the server over a further connection, and blocks the thread that cancels meanwhile. Done by threads of the pool, a few at once hold up all
/// that the process has to do until the pool adds threads, which takes it half a second for each.
/// </remarks>
[SuppressMessage("Reliability", "CA1001", Justification = "There are two, which last as long as the process.")]
internal sealed class SlowCancellation
{
    private const int MaxThreads = 16;

    /// <summary>On hosts that are lost, where each takes seconds.</summary>
    public static readonly SlowCancellation Lost = new();

    /// <summary>On all others, which are not to wait for those.</summary>
    public static readonly SlowCancellation Usual = new();

    private readonly SemaphoreSlim _free = new(MaxThreads);

    public async Task CancelAsync(CancellationTokenSource source)
    {
        await _free.WaitAsync().ConfigureAwait(false);
        // What fails here is what the work itself had registered with its token, after its caller has left.
        await Task.Factory.StartNew(source.Cancel, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _free.Release();
    }
}
