using Accounting.Database;
using ReplicaRouter;

namespace Accounting.Invoices;

public sealed class InvoiceService(DatabaseRouter router)
{
    /// <summary>A strong read: the invoice may have been created or paid a moment ago, so the primary is asked.</summary>
    public async Task<Invoice?> GetRecentAsync(Guid id, CancellationToken cancellationToken)
    {
        // A data source routes anew at every open: what any library takes that knows nothing of routing.
        var primary = router.GetDataSource(DatabaseOperation.Transactional);
        await using var connection = await primary.OpenConnectionAsync(cancellationToken);
        return await connection.QueryOneAsync<Invoice>($"SELECT {Invoice.Columns} FROM invoices WHERE id = @id", new { id }, cancellationToken);
    }

    /// <summary>A list can be a moment old, so the replicas answer. Newest first.</summary>
    public Task<IReadOnlyList<Invoice>> ListAsync(Guid organizationId, int limit, CancellationToken cancellationToken) =>
        router.ExecuteAsync(
            DatabaseOperation.Read,
            (connection, token) => connection.QueryAsync<Invoice>(
                $"SELECT {Invoice.Columns} FROM invoices WHERE organization_id = @organizationId ORDER BY created_at DESC, id LIMIT @limit",
                new { organizationId, limit }, token),
            cancellationToken);
}
