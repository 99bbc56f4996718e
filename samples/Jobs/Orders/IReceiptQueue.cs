namespace Jobs.Orders;

/// <summary>Queues the creation of an order's receipt, for a worker to do later.</summary>
public interface IReceiptQueue
{
    Task EnqueueAsync(Guid orderId, CancellationToken ct);
}
