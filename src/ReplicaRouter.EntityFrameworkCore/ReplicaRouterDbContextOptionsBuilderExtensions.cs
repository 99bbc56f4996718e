using Microsoft.EntityFrameworkCore.Infrastructure;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure;
using ReplicaRouter;

namespace Microsoft.EntityFrameworkCore;

/// <summary>Has contexts go through the router.</summary>
public static class ReplicaRouterDbContextOptionsBuilderExtensions
{
    /// <summary>
    /// Has the context use PostgreSQL through the router: queries go to replicas, or where they are told to, and what it saves goes to the primary.
    /// Takes the place of <c>UseNpgsql</c>.
    /// </summary>
    /// <remarks>
    /// Type mappings that Npgsql itself must know, as of NodaTime and of enums, belong into <see cref="DatabaseRouterOptions.ConfigureDataSource"/>, too:
    /// the router's data sources are not those that the provider would build.
    /// </remarks>
    /// <param name="optionsBuilder">The context's options.</param>
    /// <param name="router">The router; it must live at least as long as the contexts.</param>
    /// <param name="npgsql">The provider's own options, as retries on failure and split queries.</param>
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
