using Jobs.Orders;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using ReplicaRouter;

namespace Jobs.Channels;

#region worker
public sealed class ReceiptWorker(ReceiptChannel channel, ReceiptService receipts, DatabaseRouter router, ILogger<ReceiptWorker> logger) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Parallel.ForEachAsync(
        channel.ReadAllAsync(stoppingToken),
        new ParallelOptions { MaxDegreeOfParallelism = 20, CancellationToken = stoppingToken },
        async (request, ct) =>
        {
            using var session = router.BeginSession(request.SessionToken);
            try
            {
                await receipts.MakeOutAsync(request.OrderId, ct);
            }
            catch (NpgsqlException e)
            {
                logger.LogError(e, "No receipt for order {Order}", request.OrderId);
            }
        });
}
#endregion
