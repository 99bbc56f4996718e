using Jobs.Orders;
using Quartz;
using ReplicaRouter;

namespace Jobs.Quartz;

#region quartz-schedule
public sealed class QuartzReceiptQueue(ISchedulerFactory schedulers, DatabaseRouter router) : IReceiptQueue
{
    public async Task EnqueueAsync(Guid orderId, CancellationToken ct)
    {
        var trigger = TriggerBuilder.Create()
            .ForJob(ReceiptJob.Key)
            .UsingJobData(ReceiptJob.OrderId, orderId.ToString())
            .WithRetryPolicy(RetryPolicy.Fixed(5, TimeSpan.FromSeconds(1)))
            .StartNow();
        if (router.CurrentSession is { } session) trigger.UsingJobData(SessionMetadata.Key, await session.GetTokenAsync(ct));
        var scheduler = await schedulers.GetScheduler(ct);
        await scheduler.ScheduleJob(trigger.Build(), cancellationToken: ct);
    }
}
#endregion
