using System.Data.Common;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;

namespace ReplicaRouter;

/// <summary>Registers the router with an application.</summary>
public static class ReplicaRouterServiceCollectionExtensions
{
    /// <summary>
    /// Adds a <see cref="DatabaseRouter"/> that is configured by the section <c>ReplicaRouter</c>, by <c>DATABASE_URL</c> and
    /// <c>DATABASE_READ_REPLICA_*_URL</c> (also from a <c>.env</c> file), and last by <paramref name="configure"/>.
    /// </summary>
    /// <remarks>See <see cref="AddReplicaRouter(IServiceCollection, IConfiguration, Action{DatabaseRouterOptions})"/> for what is registered.</remarks>
    /// <returns>The same builder.</returns>
    public static IHostApplicationBuilder AddReplicaRouter(this IHostApplicationBuilder builder, Action<DatabaseRouterOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        // The application's own configuration wins over the .env file: it holds the real variables.
        var configuration = new ConfigurationBuilder().AddDotEnv().AddConfiguration(builder.Configuration).Build();
        builder.Services.AddReplicaRouter(configuration, configure);
        return builder;
    }

    /// <summary>Adds a <see cref="DatabaseRouter"/> that is configured in code.</summary>
    /// <inheritdoc cref="AddReplicaRouter(IServiceCollection, IConfiguration, Action{DatabaseRouterOptions})" path="/remarks"/>
    /// <returns>The same services.</returns>
    public static IServiceCollection AddReplicaRouter(this IServiceCollection services, Action<DatabaseRouterOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        return services.Add(options => configure(options), null);
    }

    /// <summary>Adds a <see cref="DatabaseRouter"/> that is configured by <paramref name="configuration"/>, then by <paramref name="configure"/>.</summary>
    /// <remarks>
    /// <para>
    /// The router follows the configuration as it is reloaded: see <see cref="DatabaseRouter.Reload"/>. A reload that is wrong is refused as a whole, and logged. Variables
    /// of the environment and a <c>.env</c> file are read once, at the start.
    /// </para>
    /// <para>
    /// Registers the router, which starts with the host and stops the start when its configuration is wrong; a <see cref="DbDataSource"/>
    /// that writes; and one a route, keyed by <see cref="DatabaseOperation"/>: <c>[FromKeyedServices(DatabaseOperation.Read)] DbDataSource</c>.
    /// </para>
    /// </remarks>
    /// <returns>The same services.</returns>
    public static IServiceCollection AddReplicaRouter(this IServiceCollection services, IConfiguration configuration, Action<DatabaseRouterOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return services.Add(options =>
        {
            OptionsLoader.Load(options, configuration);
            configure?.Invoke(options);
        }, configuration);
    }

    private static IServiceCollection Add(this IServiceCollection services, Action<DatabaseRouterOptions> configure, IConfiguration? reloaded)
    {
        DatabaseRouterOptions Read()
        {
            var options = new DatabaseRouterOptions();
            configure(options);
            return options;
        }

        services.TryAddSingleton(provider =>
        {
            var router = DatabaseRouter.Create(Read(), provider.GetService<ILoggerFactory>(), provider.GetService<IMeterFactory>());
            if (reloaded is not null) router.Follow(ChangeToken.OnChange(reloaded.GetReloadToken, () => router.TryReload(Read)));
            return router;
        });
        services.TryAddSingleton(provider => provider.GetRequiredService<DatabaseRouter>().GetDataSource(DatabaseOperation.Write));
        foreach (var operation in Enum.GetValues<DatabaseOperation>())
        {
            services.TryAddKeyedSingleton(operation, (provider, _) => provider.GetRequiredService<DatabaseRouter>().GetDataSource(operation));
        }

        services.AddHostedService<RouterStarter>();
        return services;
    }

    /// <summary>Creates the router with the host, so that probes run before the first request and wrong values stop the start.</summary>
    private sealed class RouterStarter(DatabaseRouter router) : IHostedService
    {
        public async Task StartAsync(CancellationToken cancellationToken)
        {
            try
            {
                await router.WaitUntilReadyAsync(TimeSpan.FromSeconds(2), cancellationToken).ConfigureAwait(false);
            }
            catch (NoEligibleHostException)
            {
                // An application may start before its servers do. Operations wait, and the health status tells.
            }
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
