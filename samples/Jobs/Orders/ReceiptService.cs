using System.Collections.Concurrent;
using Dapper;
using ReplicaRouter;

namespace Jobs.Orders;

/// <summary>The work of the jobs: looks up the order, and notes what was found. A job that is run twice leaves one receipt.</summary>
public sealed class ReceiptService(DatabaseRouter router, OrderService orders)
{
    private readonly ConcurrentDictionary<Guid, TaskCompletionSource> _awaited = new();

    public async Task MakeOutAsync(Guid orderId, CancellationToken ct)
    {
        var (found, fromReplica) = await orders.FindAsync(orderId, ct);
        await router.ExecuteAsync(DatabaseOperation.Write, (connection, token) => connection.ExecuteAsync(new CommandDefinition(
            "INSERT INTO receipts VALUES (@orderId, @found, @fromReplica) ON CONFLICT DO NOTHING", new { orderId, found, fromReplica }, cancellationToken: token)), ct);
        if (_awaited.TryRemove(orderId, out var awaited)) awaited.TrySetResult();
    }

    /// <summary>Ends when the order's receipt has been made out in this process. To be called before the job can have run.</summary>
    public Task MadeOutAsync(Guid orderId) =>
        _awaited.GetOrAdd(orderId, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
}
