using Hangfire;
using Jobs.Orders;

namespace Jobs.Hangfire;

public sealed class ReceiptJob(ReceiptService receipts)
{
    [AutomaticRetry(DelaysInSeconds = [1, 2, 5, 10])]
    public Task RunAsync(Guid orderId, CancellationToken ct) => receipts.MakeOutAsync(orderId, ct);
}
