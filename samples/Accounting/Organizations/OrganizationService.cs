using Accounting.Database;
using ReplicaRouter;

namespace Accounting.Organizations;

public sealed class OrganizationService(DatabaseRouter router)
{
    public Task<IReadOnlyList<Organization>> ListAsync(CancellationToken cancellationToken) =>
        router.ExecuteAsync(
            DatabaseOperation.Read,
            (connection, token) => connection.QueryAsync<Organization>("SELECT id, name, created_at FROM organizations ORDER BY name", null, token),
            cancellationToken);
}
