using System.Data.Common;
using Npgsql;

namespace ReplicaRouter;

/// <summary>A data source that chooses a host at each open, for libraries that take a <see cref="DbDataSource"/>: Dapper, EF Core, health checks.</summary>
/// <remarks>Its connections are real <see cref="NpgsqlConnection"/>s. Disposing it closes nothing: the router owns the pools.</remarks>
public abstract class RoutedDataSource : DbDataSource
{
    /// <inheritdoc cref="DbDataSource.OpenConnection"/>
    public new NpgsqlConnection OpenConnection() => (NpgsqlConnection)base.OpenConnection();

    /// <inheritdoc cref="DbDataSource.OpenConnectionAsync"/>
    public new abstract ValueTask<NpgsqlConnection> OpenConnectionAsync(CancellationToken cancellationToken = default);

    /// <inheritdoc cref="DbDataSource.CreateConnection"/>
    public new NpgsqlConnection CreateConnection() => (NpgsqlConnection)base.CreateConnection();

    /// <inheritdoc/>
    protected override async ValueTask<DbConnection> OpenDbConnectionAsync(CancellationToken cancellationToken = default) =>
        await OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
}
