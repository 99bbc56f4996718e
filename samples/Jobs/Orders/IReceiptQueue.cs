namespace Jobs.Orders;

/// <summary>Has a receipt made out for an order, later and by somebody else.</summary>
public interface IReceiptQueue
{
    Task EnqueueAsync(Guid orderId, CancellationToken ct);
}
