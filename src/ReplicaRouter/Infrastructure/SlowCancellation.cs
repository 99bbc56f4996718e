using System.Diagnostics.CodeAnalysis;

namespace ReplicaRouter.Infrastructure;

/// <summary>Cancels work without blocking threads that other work needs.</summary>
/// <remarks>
/// Npgsql sends the cancel request over another connection, and blocks the thread that cancels meanwhile. On pool threads, a few cancellations at once would stall the whole
/// process until the pool adds threads, which takes half a second for each.
/// </remarks>
[SuppressMessage("Reliability", "CA1001", Justification = "Both instances live as long as the process.")]
internal sealed class SlowCancellation
{
    private const int MaxThreads = 16;

    /// <summary>For lost hosts, where each takes seconds.</summary>
    public static readonly SlowCancellation Lost = new();

    /// <summary>For all others, so that they do not wait for those.</summary>
    public static readonly SlowCancellation Usual = new();

    private readonly SemaphoreSlim _free = new(MaxThreads);

    public async Task CancelAsync(CancellationTokenSource source)
    {
        await _free.WaitAsync().ConfigureAwait(false);
        // A failure here comes from a callback that the work registered with its token; its caller has already left.
        await Task.Factory.StartNew(source.Cancel, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _free.Release();
    }
}
