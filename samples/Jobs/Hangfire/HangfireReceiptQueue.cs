using Hangfire;
using Jobs.Orders;

namespace Jobs.Hangfire;

public sealed class HangfireReceiptQueue(IBackgroundJobClient jobs) : IReceiptQueue
{
    // Hangfire's call is synchronous. On the thread pool, many concurrent calls would starve other work.
    public Task EnqueueAsync(Guid orderId, CancellationToken ct) => Task.Factory.StartNew(
        () => jobs.Enqueue<ReceiptJob>(job => job.RunAsync(orderId, CancellationToken.None)), ct, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
