using Accounting.Database;
using ReplicaRouter;

namespace Accounting.Clients;

public sealed class ClientService(DatabaseRouter router)
{
    private const string Columns =
        "id, organization_id, business_name, primary_contact_email, industry, status, annual_revenue, created_at, updated_at";

    /// <summary>A write: always the primary.</summary>
    public Task<Client> CreateAsync(CreateClient client, CancellationToken cancellationToken) =>
        router.ExecuteAsync(
            DatabaseOperation.Write,
            async (connection, token) => (await connection.QueryAsync<Client>(
                $"""
                INSERT INTO clients (organization_id, business_name, primary_contact_email, industry, annual_revenue)
                VALUES (@OrganizationId, @BusinessName, @PrimaryContactEmail, @Industry, @AnnualRevenue)
                RETURNING {Columns}
                """,
                client, token)).Single(),
            cancellationToken);

    /// <summary>A write: always the primary. <see langword="null"/> when there is no such client.</summary>
    public Task<Client?> UpdateAnnualRevenueAsync(Guid id, decimal annualRevenue, CancellationToken cancellationToken) =>
        router.ExecuteAsync(
            DatabaseOperation.Write,
            (connection, token) => connection.QueryOneAsync<Client>(
                $"UPDATE clients SET annual_revenue = @annualRevenue, updated_at = now() WHERE id = @id RETURNING {Columns}",
                new { id, annualRevenue }, token),
            cancellationToken);

    /// <summary>A read: balanced over the replicas, and whoever created a client sees it: each request is a session.</summary>
    public Task<Client?> GetAsync(Guid id, CancellationToken cancellationToken) =>
        router.ExecuteAsync(
            DatabaseOperation.Read,
            (connection, token) => connection.QueryOneAsync<Client>($"SELECT {Columns} FROM clients WHERE id = @id", new { id }, token),
            cancellationToken);

    /// <summary>The newest clients, of one organization or of all.</summary>
    public Task<IReadOnlyList<Client>> ListAsync(Guid? organizationId, int limit, CancellationToken cancellationToken) =>
        router.ExecuteAsync(
            DatabaseOperation.Read,
            (connection, token) => connection.QueryAsync<Client>(
                $"""
                SELECT {Columns} FROM clients
                WHERE @organizationId::uuid IS NULL OR organization_id = @organizationId
                ORDER BY created_at DESC, id LIMIT @limit
                """,
                new { organizationId, limit }, token),
            cancellationToken);
}
