using Microsoft.EntityFrameworkCore.Infrastructure;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure.Internal;

namespace ReplicaRouter;

/// <summary>A context's options, reduced to what a connection needs.</summary>
/// <remarks>Each connection's constructor looks up the provider's extension. A context's full options first sort all extensions for that, which allocates 650 bytes.</remarks>
internal sealed class ConnectionOptions(NpgsqlOptionsExtension npgsql) : IDbContextOptions
{
    private readonly NpgsqlOptionsExtension[] _extensions = [npgsql];

    public NpgsqlOptionsExtension Npgsql => npgsql;

    public IEnumerable<IDbContextOptionsExtension> Extensions => _extensions;

    public TExtension? FindExtension<TExtension>() where TExtension : class, IDbContextOptionsExtension => npgsql as TExtension;
}
