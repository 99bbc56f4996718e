using Accounting.Database;
using ReplicaRouter;

namespace Accounting.Invoices;

public sealed class InvoiceService(DatabaseRouter router)
{
    /// <summary>Returns an invoice from the primary, because it can have been created or paid a moment ago.</summary>
    public async Task<Invoice?> GetRecentAsync(Guid id, CancellationToken cancellationToken)
    {
        // The data source routes at every open, so any library that takes a data source can use it.
        var primary = router.GetDataSource(DatabaseOperation.Transactional);
        await using var connection = await primary.OpenConnectionAsync(cancellationToken);
        return await connection.QueryOneAsync<Invoice>($"SELECT {Invoice.Columns} FROM invoices WHERE id = @id", new { id }, cancellationToken);
    }

    /// <summary>Returns the newest invoices first. The list can be slightly stale, so replicas serve it.</summary>
    public Task<IReadOnlyList<Invoice>> ListAsync(Guid organizationId, int limit, CancellationToken cancellationToken) =>
        router.ExecuteAsync(
            DatabaseOperation.Read,
            (connection, token) => connection.QueryAsync<Invoice>(
                $"SELECT {Invoice.Columns} FROM invoices WHERE organization_id = @organizationId ORDER BY created_at DESC, id LIMIT @limit",
                new { organizationId, limit }, token),
            cancellationToken);
}
