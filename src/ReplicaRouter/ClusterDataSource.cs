using System.Data.Common;
using Npgsql;

namespace ReplicaRouter;

/// <summary>The data source of one route.</summary>
internal sealed class ClusterDataSource(ClusterRouter router, DatabaseRoute route, OperationOptions? options) : RoutedDataSource
{
    /// <summary>A string that only names the route: there is no single connection string, and those of the hosts can contain passwords.</summary>
    public override string ConnectionString => $"Application Name={route.Name}";

    public override ValueTask<NpgsqlConnection> OpenConnectionAsync(CancellationToken cancellationToken = default) =>
        router.OpenConnectionAsync(route, options, cancellationToken);

    // Even a closed connection is bound to a host: an NpgsqlConnection belongs to one pool from its creation.
    protected override DbConnection CreateDbConnection() => router.CreateConnection(route, options);

    protected override DbConnection OpenDbConnection() => router.OpenConnection(route, options);
}
