using System.Data.Common;
using Npgsql;

namespace ReplicaRouter;

/// <summary>A data source that routes anew at every open, for whatever takes a <see cref="DbDataSource"/>: Dapper, EF Core, health checks.</summary>
/// <remarks>What it hands out is the real <see cref="NpgsqlConnection"/>.</remarks>
internal sealed class RoutingDataSource(DatabaseRouter router, DatabaseRoute route, OperationOptions options) : DbDataSource
{
    /// <summary>Says where it leads. There is no one connection string, and none that holds a password is shown.</summary>
    public override string ConnectionString => $"Application Name={route.Name}";

    // Not open yet, it is bound to a host all the same: the real NpgsqlConnection belongs to one pool from its creation on.
    protected override DbConnection CreateDbConnection() => router.CreateConnection(route, options);

    protected override DbConnection OpenDbConnection() => router.OpenConnection(route, options);

    protected override async ValueTask<DbConnection> OpenDbConnectionAsync(CancellationToken cancellationToken = default) =>
        await router.OpenConnectionAsync(route, options, cancellationToken).ConfigureAwait(false);
}
