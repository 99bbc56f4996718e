using System.Data.Common;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
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
    /// <exception cref="InvalidOperationException">The application has a router already.</exception>
    public static IHostApplicationBuilder AddReplicaRouter(this IHostApplicationBuilder builder, Action<DatabaseRouterOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.Add(null, WithDotEnv(builder), configure);
        return builder;
    }

    /// <summary>
    /// Adds a further <see cref="DatabaseRouter"/>, of another cluster, that is resolved by its name as the key. It is configured by the section
    /// <c>ReplicaRouters:</c><i>name</i>, by variables that begin with the name, as <c>BILLING_DATABASE_URL</c>, and last by <paramref name="configure"/>. Where none of
    /// them names a primary, <c>ConnectionStrings:</c><i>name</i> does.
    /// </summary>
    /// <remarks>See <see cref="AddReplicaRouter(IServiceCollection, string, IConfiguration, Action{DatabaseRouterOptions})"/> for what is registered.</remarks>
    /// <param name="builder">The application.</param>
    /// <param name="name">The router's name: 1 to 63 letters from A to Z, digits, <c>-</c> or <c>_</c>.</param>
    /// <param name="configure">What is set in code; it has the last word.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentException">The name is not usable.</exception>
    /// <exception cref="InvalidOperationException">The application has a router of this name already.</exception>
    public static IHostApplicationBuilder AddReplicaRouter(this IHostApplicationBuilder builder, string name, Action<DatabaseRouterOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.Add(RouterRegistration.Checked(name), WithDotEnv(builder), configure);
        return builder;
    }

    /// <summary>Adds a <see cref="DatabaseRouter"/> that is configured in code.</summary>
    /// <inheritdoc cref="AddReplicaRouter(IServiceCollection, IConfiguration, Action{DatabaseRouterOptions})" path="/remarks"/>
    /// <returns>The same services.</returns>
    /// <exception cref="InvalidOperationException">The application has a router already.</exception>
    public static IServiceCollection AddReplicaRouter(this IServiceCollection services, Action<DatabaseRouterOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        return services.Add(null, null, configure);
    }

    /// <summary>Adds a <see cref="DatabaseRouter"/> that is configured by <paramref name="configuration"/>, then by <paramref name="configure"/>.</summary>
    /// <remarks>
    /// <para>
    /// The options are those of <see cref="IOptions{TOptions}"/>: <c>Configure</c>, <c>PostConfigure</c> and validation of <see cref="DatabaseRouterOptions"/> take effect as everywhere. The router
    /// follows them as they are reloaded: see <see cref="DatabaseRouter.Reload"/>. A reload that is wrong is refused as a whole, and logged. Variables
    /// of the environment and a <c>.env</c> file are read once, at the start.
    /// </para>
    /// <para>
    /// Registers the router, which starts with the host and stops the start when its configuration is wrong; a <see cref="DbDataSource"/> and <see cref="RoutedDataSource"/>
    /// that write; and one a route, keyed by <see cref="DatabaseOperation"/>: <c>[FromKeyedServices(DatabaseOperation.Read)] RoutedDataSource</c>.
    /// </para>
    /// </remarks>
    /// <returns>The same services.</returns>
    /// <exception cref="InvalidOperationException">The application has a router already.</exception>
    public static IServiceCollection AddReplicaRouter(this IServiceCollection services, IConfiguration configuration, Action<DatabaseRouterOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return services.Add(null, configuration, configure);
    }

    /// <summary>Adds a further <see cref="DatabaseRouter"/>, of another cluster, that is configured in code.</summary>
    /// <inheritdoc cref="AddReplicaRouter(IServiceCollection, string, IConfiguration, Action{DatabaseRouterOptions})" path="/remarks"/>
    /// <inheritdoc cref="AddReplicaRouter(IServiceCollection, string, IConfiguration, Action{DatabaseRouterOptions})" path="/exception"/>
    /// <returns>The same services.</returns>
    public static IServiceCollection AddReplicaRouter(this IServiceCollection services, string name, Action<DatabaseRouterOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        return services.Add(RouterRegistration.Checked(name), null, configure);
    }

    /// <summary>Adds a further <see cref="DatabaseRouter"/>, of another cluster, that is configured by <paramref name="configuration"/>, then by <paramref name="configure"/>.</summary>
    /// <remarks>
    /// Everything that is registered has the router's name for its key, its options' name included: <c>[FromKeyedServices("billing")] DatabaseRouter</c>, and a
    /// <see cref="RoutedDataSource"/> that writes. Those of the operations have the operation's name added: <c>[FromKeyedServices("billing:read")] RoutedDataSource</c>.
    /// </remarks>
    /// <param name="services">The application's services.</param>
    /// <param name="name">The router's name: 1 to 63 letters from A to Z, digits, <c>-</c> or <c>_</c>.</param>
    /// <param name="configuration">Where its section, variables and connection string are.</param>
    /// <param name="configure">What is set in code; it has the last word.</param>
    /// <returns>The same services.</returns>
    /// <exception cref="ArgumentException">The name is not usable.</exception>
    /// <exception cref="InvalidOperationException">The application has a router of this name already.</exception>
    public static IServiceCollection AddReplicaRouter(this IServiceCollection services, string name, IConfiguration configuration, Action<DatabaseRouterOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return services.Add(RouterRegistration.Checked(name), configuration, configure);
    }

    /// <summary>The application's own configuration wins over the .env file: it holds the real variables.</summary>
    private static IConfigurationRoot WithDotEnv(IHostApplicationBuilder builder) => new ConfigurationBuilder().AddDotEnv().AddConfiguration(builder.Configuration).Build();

    private static IServiceCollection Add(this IServiceCollection services, string? name, IConfiguration? configuration, Action<DatabaseRouterOptions>? configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        if (services.Any(service => service.ServiceType == typeof(DatabaseRouter) && Equals(service.ServiceKey, name)))
        {
            throw new InvalidOperationException(name is null
                ? "AddReplicaRouter was called twice. Call it once; a further router, of another cluster, needs a name: AddReplicaRouter(\"billing\")."
                : $"AddReplicaRouter(\"{name}\") was called twice. Call it once for each cluster, with a name of its own.");
        }

        if (name is not null && RouterRegistration.OfSameVariables(name, services) is { } other)
            throw new InvalidOperationException($"The routers \"{other}\" and \"{name}\" have the same variables, {ConfigurationNames.Of(name).PrimaryVariable} and so on. Choose names that differ in letters or digits.");

        var registration = new RouterRegistration(name);
        services.AddSingleton(registration);
        var options = services.AddOptions<DatabaseRouterOptions>(registration.OptionsName).Configure(created => created.Names = ConfigurationNames.Of(name));
        if (configuration is not null)
        {
            options.Configure(read => OptionsLoader.Load(read, configuration, name));
            services.AddSingleton<IOptionsChangeTokenSource<DatabaseRouterOptions>>(new ConfigurationChanges(options.Name, configuration));
        }

        if (configure is not null) options.Configure(configure);
        // With a null key they are registered without one.
        services.TryAddKeyedSingleton(name, (provider, _) => Create(provider, options.Name));
        services.TryAddKeyedSingleton(name, (provider, _) => registration.Of(provider).GetDataSource(DatabaseOperation.Write));
        services.TryAddKeyedSingleton<DbDataSource>(name, (provider, _) => registration.Of(provider).GetDataSource(DatabaseOperation.Write));
        foreach (var operation in Enum.GetValues<DatabaseOperation>())
        {
            object key = name is null ? operation : $"{name}:{DatabaseRoute.FromDatabaseOperation(operation).Name}";
            services.TryAddKeyedSingleton(key, (provider, _) => registration.Of(provider).GetDataSource(operation));
            services.TryAddKeyedSingleton<DbDataSource>(key, (provider, _) => registration.Of(provider).GetDataSource(operation));
        }

        services.AddSingleton<IHostedService>(provider => new RouterStarter(registration.Of(provider)));
        return services;
    }

    private static DatabaseRouter Create(IServiceProvider provider, string name)
    {
        var factory = provider.GetRequiredService<IOptionsFactory<DatabaseRouterOptions>>();
        var options = factory.Create(name);
        options.TimeProvider ??= provider.GetService<TimeProvider>();
        var router = DatabaseRouter.Create(options, provider.GetService<ILoggerFactory>(), provider.GetService<IMeterFactory>());
        // Not by IOptionsMonitor: where reading fails, it throws at whatever reported the change.
        foreach (var source in provider.GetServices<IOptionsChangeTokenSource<DatabaseRouterOptions>>().Where(source => (source.Name ?? Options.DefaultName) == name))
        {
            router.Engine.Follow(ChangeToken.OnChange(source.GetChangeToken, () => router.Engine.TryReload(() => factory.Create(name))));
        }

        return router;
    }

    /// <summary>Has a router's options read again when the configuration is.</summary>
    private sealed class ConfigurationChanges(string name, IConfiguration configuration) : IOptionsChangeTokenSource<DatabaseRouterOptions>
    {
        public string? Name => name;

        public IChangeToken GetChangeToken() => configuration.GetReloadToken();
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
