using System.Data.Common;
using Npgsql;

namespace ReplicaRouter;

/// <summary>The data source of one route.</summary>
internal sealed class ClusterDataSource(ClusterRouter router, DatabaseRoute route, OperationOptions? options) : RoutedDataSource
{
    /// <summary>Says where it leads. There is no one connection string, and none that holds a password is shown.</summary>
    public override string ConnectionString => $"Application Name={route.Name}";

    public override ValueTask<NpgsqlConnection> OpenConnectionAsync(CancellationToken cancellationToken = default) =>
        router.OpenConnectionAsync(route, options, cancellationToken);

    // Not open yet, it is bound to a host all the same: the real NpgsqlConnection belongs to one pool from its creation on.
    protected override DbConnection CreateDbConnection() => router.CreateConnection(route, options);

    protected override DbConnection OpenDbConnection() => router.OpenConnection(route, options);
}
