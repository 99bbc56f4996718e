using Microsoft.EntityFrameworkCore.Infrastructure;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure.Internal;

namespace ReplicaRouter;

/// <summary>Options of which there is only what a connection needs.</summary>
/// <remarks>The constructor of each connection looks for the provider's extension, and in a context's options first puts all of them in order: 650 bytes.</remarks>
internal sealed class ConnectionOptions(NpgsqlOptionsExtension npgsql) : IDbContextOptions
{
    private readonly NpgsqlOptionsExtension[] _extensions = [npgsql];

    public NpgsqlOptionsExtension Npgsql => npgsql;

    public IEnumerable<IDbContextOptionsExtension> Extensions => _extensions;

    public TExtension? FindExtension<TExtension>() where TExtension : class, IDbContextOptionsExtension => npgsql as TExtension;
}
