using Microsoft.EntityFrameworkCore.Infrastructure;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure;
using ReplicaRouter;

namespace Microsoft.EntityFrameworkCore;

/// <summary>Makes contexts use the router.</summary>
public static class ReplicaRouterDbContextOptionsBuilderExtensions
{
    /// <summary>
    /// Makes the context use PostgreSQL through the router: queries go to replicas or to the route that they state, and saves go to the primary.
    /// Replaces <c>UseNpgsql</c>.
    /// </summary>
    /// <remarks>
    /// Also add type mappings that Npgsql itself must know, such as NodaTime and enums, in <see cref="DatabaseRouterOptions.ConfigureDataSource"/>:
    /// the router builds its own data sources and does not use the provider's.
    /// </remarks>
    /// <param name="optionsBuilder">The context's options.</param>
    /// <param name="router">The router; it must live at least as long as the contexts.</param>
    /// <param name="npgsql">The provider's own options, such as retries on failure and split queries.</param>
    /// <returns>The same builder.</returns>
    public static DbContextOptionsBuilder UseReplicaRouter(this DbContextOptionsBuilder optionsBuilder, DatabaseRouter router, Action<NpgsqlDbContextOptionsBuilder>? npgsql = null)
    {
        ArgumentNullException.ThrowIfNull(optionsBuilder);
        ArgumentNullException.ThrowIfNull(router);
        optionsBuilder.UseNpgsql(npgsql);
        ((IDbContextOptionsBuilderInfrastructure)optionsBuilder).AddOrUpdateExtension(new RouterOptionsExtension(router));
        return optionsBuilder;
    }

    /// <inheritdoc cref="UseReplicaRouter(DbContextOptionsBuilder, DatabaseRouter, Action{NpgsqlDbContextOptionsBuilder}?)"/>
    public static DbContextOptionsBuilder<TContext> UseReplicaRouter<TContext>(
        this DbContextOptionsBuilder<TContext> optionsBuilder, DatabaseRouter router, Action<NpgsqlDbContextOptionsBuilder>? npgsql = null) where TContext : DbContext =>
        (DbContextOptionsBuilder<TContext>)UseReplicaRouter((DbContextOptionsBuilder)optionsBuilder, router, npgsql);
}
