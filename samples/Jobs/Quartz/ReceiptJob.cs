using Jobs.Orders;
using Quartz;

namespace Jobs.Quartz;

public sealed class ReceiptJob(ReceiptService receipts) : IJob
{
    public const string OrderId = "order-id";

    public static readonly JobKey Key = new("receipt");

    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default) =>
        await receipts.MakeOutAsync(context.MergedJobDataMap.Get<Guid>(OrderId), cancellationToken);
}
