using Hangfire.PostgreSql;
using Npgsql;
using ReplicaRouter;

namespace Jobs.Hangfire;

#region hangfire-storage
/// <summary>Hangfire's storage on whichever server is the primary.</summary>
public sealed class RoutedConnectionFactory(DatabaseRouter router) : IConnectionFactory
{
    public NpgsqlConnection GetOrCreateConnection() => router.OpenConnection(DatabaseOperation.Write);
}
#endregion
