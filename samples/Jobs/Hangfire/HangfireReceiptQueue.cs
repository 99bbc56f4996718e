using Hangfire;
using Jobs.Orders;

namespace Jobs.Hangfire;

public sealed class HangfireReceiptQueue(IBackgroundJobClient jobs) : IReceiptQueue
{
    // Synchronous, as Hangfire is: on threads of the pool, many at once would starve all else of them.
    public Task EnqueueAsync(Guid orderId, CancellationToken ct) => Task.Factory.StartNew(
        () => jobs.Enqueue<ReceiptJob>(job => job.RunAsync(orderId, CancellationToken.None)), ct, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
