using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure;
using ReplicaRouter;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers contexts that go through the application's router.</summary>
public static class RoutedDbContextServiceCollectionExtensions
{
    /// <summary>
    /// Adds a context that routes itself: <typeparamref name="TContext"/>, one a scope; <see cref="IDbContextFactory{TContext}"/>; and
    /// <see cref="IRoutedDbContextFactory{TContext}"/>, whose contexts are bound to a route. The router itself is added by <c>AddReplicaRouter</c>.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="npgsql">The provider's own options, as retries on failure and split queries.</param>
    /// <param name="options">Further options, as interceptors.</param>
    /// <returns>The same services.</returns>
    public static IServiceCollection AddRoutedDbContext<TContext>(
        this IServiceCollection services,
        Action<NpgsqlDbContextOptionsBuilder>? npgsql = null,
        Action<IServiceProvider, DbContextOptionsBuilder>? options = null) where TContext : DbContext =>
        services.AddDbContextFactory<TContext>(Configure(npgsql, options)).AddFactory<TContext>();

    /// <summary>The same with contexts that are used again, as by <c>AddDbContextPool</c>: they keep their services, but neither a connection nor what they wrote.</summary>
    /// <inheritdoc cref="AddRoutedDbContext{TContext}" path="/returns"/>
    /// <param name="services">The application's services.</param>
    /// <param name="npgsql">The provider's own options, as retries on failure and split queries.</param>
    /// <param name="options">Further options, as interceptors.</param>
    /// <param name="poolSize">Contexts that are kept; 1024 by default.</param>
    public static IServiceCollection AddRoutedDbContextPool<TContext>(
        this IServiceCollection services,
        Action<NpgsqlDbContextOptionsBuilder>? npgsql = null,
        Action<IServiceProvider, DbContextOptionsBuilder>? options = null,
        int poolSize = 1024) where TContext : DbContext =>
        services.AddPooledDbContextFactory<TContext>(Configure(npgsql, options), poolSize).AddFactory<TContext>();

    private static Action<IServiceProvider, DbContextOptionsBuilder> Configure(Action<NpgsqlDbContextOptionsBuilder>? npgsql, Action<IServiceProvider, DbContextOptionsBuilder>? options) =>
        (provider, builder) =>
        {
            var router = provider.GetService<DatabaseRouter>() ?? throw new InvalidOperationException("A routed context needs a router: call AddReplicaRouter() on the builder or its services.");
            builder.UseReplicaRouter(router, npgsql);
            options?.Invoke(provider, builder);
        };

    private static IServiceCollection AddFactory<TContext>(this IServiceCollection services) where TContext : DbContext
    {
        services.TryAddSingleton<IRoutedDbContextFactory<TContext>, RoutedDbContextFactory<TContext>>();
        return services;
    }
}
