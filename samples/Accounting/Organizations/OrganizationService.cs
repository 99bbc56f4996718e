using Accounting.Database;
using Microsoft.EntityFrameworkCore;

namespace Accounting.Organizations;

public sealed class OrganizationService(IDbContextFactory<AccountingDb> databases)
{
    public async Task<IReadOnlyList<Organization>> ListAsync(CancellationToken cancellationToken)
    {
        await using var db = await databases.CreateDbContextAsync(cancellationToken);
        return await db.Organizations.AsNoTracking().OrderBy(organization => organization.Name).ToListAsync(cancellationToken);
    }
}
