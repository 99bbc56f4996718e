using System.Collections.Concurrent;
using Dapper;
using ReplicaRouter;

namespace Jobs.Orders;

/// <summary>The work of the jobs: looks up the order and records the result. A job that runs twice creates one receipt.</summary>
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

    /// <summary>Completes when this process has created the order's receipt. Call it before the job can run.</summary>
    public Task MadeOutAsync(Guid orderId) =>
        _awaited.GetOrAdd(orderId, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
}
