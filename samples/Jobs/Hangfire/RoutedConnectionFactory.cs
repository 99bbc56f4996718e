using Hangfire.PostgreSql;
using Npgsql;
using ReplicaRouter;

namespace Jobs.Hangfire;

#region hangfire-storage
/// <summary>Opens the connections of Hangfire's storage, always on the current primary.</summary>
public sealed class RoutedConnectionFactory(DatabaseRouter router) : IConnectionFactory
{
    public NpgsqlConnection GetOrCreateConnection() => router.OpenConnection(DatabaseOperation.Write);
}
#endregion
