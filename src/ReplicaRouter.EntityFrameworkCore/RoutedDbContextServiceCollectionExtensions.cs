using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure;
using ReplicaRouter;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers contexts that use the application's router.</summary>
public static class RoutedDbContextServiceCollectionExtensions
{
    /// <summary>
    /// Adds a context that uses the router: <typeparamref name="TContext"/>, one per scope; <see cref="IDbContextFactory{TContext}"/>; and
    /// <see cref="IRoutedDbContextFactory{TContext}"/>, whose contexts are bound to a route. <c>AddReplicaRouter</c> adds the router itself.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="npgsql">The provider's own options, such as retries on failure and split queries.</param>
    /// <param name="options">Further options, such as interceptors.</param>
    /// <param name="router">The name of the router; <see langword="null"/> for the unnamed router.</param>
    /// <returns>The same services.</returns>
    public static IServiceCollection AddRoutedDbContext<TContext>(
        this IServiceCollection services,
        Action<NpgsqlDbContextOptionsBuilder>? npgsql = null,
        Action<IServiceProvider, DbContextOptionsBuilder>? options = null,
        string? router = null) where TContext : DbContext =>
        services.AddDbContextFactory<TContext>(Configure(npgsql, options, router)).AddFactory<TContext>();

    /// <summary>Adds the same with pooled contexts, as <c>AddDbContextPool</c> does. A reused context keeps its services, but no connection and no record of its writes.</summary>
    /// <inheritdoc cref="AddRoutedDbContext{TContext}" path="/returns"/>
    /// <param name="services">The application's services.</param>
    /// <param name="npgsql">The provider's own options, such as retries on failure and split queries.</param>
    /// <param name="options">Further options, such as interceptors.</param>
    /// <param name="poolSize">Most contexts that the pool keeps; 1024 by default.</param>
    /// <param name="router">The name of the router; <see langword="null"/> for the unnamed router.</param>
    public static IServiceCollection AddRoutedDbContextPool<TContext>(
        this IServiceCollection services,
        Action<NpgsqlDbContextOptionsBuilder>? npgsql = null,
        Action<IServiceProvider, DbContextOptionsBuilder>? options = null,
        int poolSize = 1024,
        string? router = null) where TContext : DbContext =>
        services.AddPooledDbContextFactory<TContext>(Configure(npgsql, options, router), poolSize).AddFactory<TContext>();

    private static Action<IServiceProvider, DbContextOptionsBuilder> Configure(
        Action<NpgsqlDbContextOptionsBuilder>? npgsql, Action<IServiceProvider, DbContextOptionsBuilder>? options, string? router) =>
        (provider, builder) =>
        {
            builder.UseReplicaRouter(Find(provider, router), npgsql);
            options?.Invoke(provider, builder);
        };

    private static DatabaseRouter Find(IServiceProvider provider, string? router) =>
        (router is null ? provider.GetService<DatabaseRouter>() : provider.GetKeyedService<DatabaseRouter>(router)) ?? throw new InvalidOperationException(router is null
            ? "A routed context needs a router: call AddReplicaRouter() on the builder or its services."
            : $"A routed context needs the router '{router}': call AddReplicaRouter(\"{router}\") on the builder or its services.");

    private static IServiceCollection AddFactory<TContext>(this IServiceCollection services) where TContext : DbContext
    {
        services.TryAddSingleton<IRoutedDbContextFactory<TContext>, RoutedDbContextFactory<TContext>>();
        return services;
    }
}
