using Hangfire;
using Jobs.Orders;

namespace Jobs.Hangfire;

public sealed class HangfireReceiptQueue(IBackgroundJobClient jobs) : IReceiptQueue
{
    // Enqueues synchronously, as Hangfire does: a round trip of the filter, a few of the storage.
    public Task EnqueueAsync(Guid orderId, CancellationToken ct)
    {
        jobs.Enqueue<ReceiptJob>(job => job.RunAsync(orderId, CancellationToken.None));
        return Task.CompletedTask;
    }
}
