using Accounting.Database;
using Microsoft.EntityFrameworkCore;

namespace Accounting.Clients;

public sealed class ClientService(IDbContextFactory<AccountingDb> databases, TimeProvider time)
{
    /// <summary>Creates a client: a write, so always on the primary.</summary>
    public async Task<Client> CreateAsync(CreateClient client, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        var created = new Client
        {
            OrganizationId = client.OrganizationId,
            BusinessName = client.BusinessName,
            PrimaryContactEmail = client.PrimaryContactEmail,
            Industry = client.Industry,
            AnnualRevenue = client.AnnualRevenue,
        };
        db.Add(created);
        await db.SaveChangesAsync(cancellationToken);
        return created;
    }

    /// <summary>Updates a client. The read that the write is based on also runs on the primary. Returns <see langword="null"/> if there is no such client.</summary>
    public async Task<Client?> UpdateAnnualRevenueAsync(Guid id, decimal annualRevenue, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        if (await db.Clients.FromPrimary().SingleOrDefaultAsync(client => client.Id == id, cancellationToken) is not { } client) return null;
        (client.AnnualRevenue, client.UpdatedAt) = (annualRevenue, time.GetUtcNow());
        await db.SaveChangesAsync(cancellationToken);
        return client;
    }

    /// <summary>Returns a client: a read, balanced across the replicas. Each request is a session, so the user who created a client sees it.</summary>
    public async Task<Client?> GetAsync(Guid id, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        return await db.Clients.AsNoTracking().SingleOrDefaultAsync(client => client.Id == id, cancellationToken);
    }

    /// <summary>Returns the newest clients of one organization or of all.</summary>
    public async Task<IReadOnlyList<Client>> ListAsync(Guid? organizationId, int limit, CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        var clients = db.Clients.AsNoTracking();
        if (organizationId is not null) clients = clients.Where(client => client.OrganizationId == organizationId);
        return await clients.OrderByDescending(client => client.CreatedAt).ThenBy(client => client.Id).Take(limit).ToListAsync(cancellationToken);
    }
}
