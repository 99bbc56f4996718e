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
    /// Adds a <see cref="DatabaseRouter"/>. It is configured by the section <c>ReplicaRouter</c>, then by <c>DATABASE_URL</c> and
    /// <c>DATABASE_READ_REPLICA_*_URL</c> (also from a <c>.env</c> file), and last by <paramref name="configure"/>.
    /// </summary>
    /// <remarks>See <see cref="AddReplicaRouter(IServiceCollection, IConfiguration, Action{DatabaseRouterOptions})"/> for what is registered.</remarks>
    /// <returns>The same builder.</returns>
    /// <exception cref="InvalidOperationException">The application already has a router.</exception>
    public static IHostApplicationBuilder AddReplicaRouter(this IHostApplicationBuilder builder, Action<DatabaseRouterOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.Add(null, WithDotEnv(builder), configure);
        return builder;
    }

    /// <summary>
    /// Adds a further <see cref="DatabaseRouter"/>, for another cluster, with its name as the service key. It is configured by the section
    /// <c>ReplicaRouters:</c><i>name</i>, then by variables that begin with the name, such as <c>BILLING_DATABASE_URL</c>, and last by <paramref name="configure"/>. If
    /// none of them names a primary, <c>ConnectionStrings:</c><i>name</i> does.
    /// </summary>
    /// <remarks>See <see cref="AddReplicaRouter(IServiceCollection, string, IConfiguration, Action{DatabaseRouterOptions})"/> for what is registered.</remarks>
    /// <param name="builder">The application.</param>
    /// <param name="name">The router's name: 1 to 63 letters from A to Z, digits, <c>-</c> or <c>_</c>.</param>
    /// <param name="configure">Options set in code, which override all others.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentException">The name is invalid.</exception>
    /// <exception cref="InvalidOperationException">The application already has a router with this name.</exception>
    public static IHostApplicationBuilder AddReplicaRouter(this IHostApplicationBuilder builder, string name, Action<DatabaseRouterOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.Add(RouterRegistration.Checked(name), WithDotEnv(builder), configure);
        return builder;
    }

    /// <summary>Adds a <see cref="DatabaseRouter"/> that is configured only in code.</summary>
    /// <inheritdoc cref="AddReplicaRouter(IServiceCollection, IConfiguration, Action{DatabaseRouterOptions})" path="/remarks"/>
    /// <returns>The same services.</returns>
    /// <exception cref="InvalidOperationException">The application already has a router.</exception>
    public static IServiceCollection AddReplicaRouter(this IServiceCollection services, Action<DatabaseRouterOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        return services.Add(null, null, configure);
    }

    /// <summary>Adds a <see cref="DatabaseRouter"/> that is configured by <paramref name="configuration"/>, then by <paramref name="configure"/>.</summary>
    /// <remarks>
    /// <para>
    /// The options are ordinary <see cref="IOptions{TOptions}"/>: <c>Configure</c>, <c>PostConfigure</c> and validation of <see cref="DatabaseRouterOptions"/> work as
    /// usual. The router follows reloads: see <see cref="DatabaseRouter.Reload"/>. An invalid reload is refused as a whole, and logged. Environment variables and
    /// the <c>.env</c> file are read once, at startup.
    /// </para>
    /// <para>
    /// Registers the router, which starts with the host, and fails the start if its configuration is invalid; a <see cref="DbDataSource"/> and
    /// <see cref="RoutedDataSource"/> for writes; and both for each operation, keyed by <see cref="DatabaseOperation"/>:
    /// <c>[FromKeyedServices(DatabaseOperation.Read)] RoutedDataSource</c>.
    /// </para>
    /// </remarks>
    /// <returns>The same services.</returns>
    /// <exception cref="InvalidOperationException">The application already has a router.</exception>
    public static IServiceCollection AddReplicaRouter(this IServiceCollection services, IConfiguration configuration, Action<DatabaseRouterOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return services.Add(null, configuration, configure);
    }

    /// <summary>Adds a further <see cref="DatabaseRouter"/>, for another cluster, that is configured only in code.</summary>
    /// <inheritdoc cref="AddReplicaRouter(IServiceCollection, string, IConfiguration, Action{DatabaseRouterOptions})" path="/remarks"/>
    /// <inheritdoc cref="AddReplicaRouter(IServiceCollection, string, IConfiguration, Action{DatabaseRouterOptions})" path="/exception"/>
    /// <returns>The same services.</returns>
    public static IServiceCollection AddReplicaRouter(this IServiceCollection services, string name, Action<DatabaseRouterOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        return services.Add(RouterRegistration.Checked(name), null, configure);
    }

    /// <summary>Adds a further <see cref="DatabaseRouter"/>, for another cluster, configured by <paramref name="configuration"/>, then by <paramref name="configure"/>.</summary>
    /// <remarks>
    /// The router's name is the name of its options, and the key of its services: <c>[FromKeyedServices("billing")] DatabaseRouter</c>, and a <see cref="RoutedDataSource"/>
    /// for writes. For other operations, the operation's name is appended: <c>[FromKeyedServices("billing:read")] RoutedDataSource</c>.
    /// </remarks>
    /// <param name="services">The application's services.</param>
    /// <param name="name">The router's name: 1 to 63 letters from A to Z, digits, <c>-</c> or <c>_</c>.</param>
    /// <param name="configuration">The configuration with the router's section, variables and connection string.</param>
    /// <param name="configure">Options set in code, which override all others.</param>
    /// <returns>The same services.</returns>
    /// <exception cref="ArgumentException">The name is invalid.</exception>
    /// <exception cref="InvalidOperationException">The application already has a router with this name.</exception>
    public static IServiceCollection AddReplicaRouter(this IServiceCollection services, string name, IConfiguration configuration, Action<DatabaseRouterOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return services.Add(RouterRegistration.Checked(name), configuration, configure);
    }

    /// <summary>Returns the configuration of the application, with the real variables, which overrides the <c>.env</c> file.</summary>
    private static IConfigurationRoot WithDotEnv(IHostApplicationBuilder builder) => new ConfigurationBuilder().AddDotEnv().AddConfiguration(builder.Configuration).Build();

    private static IServiceCollection Add(this IServiceCollection services, string? name, IConfiguration? configuration, Action<DatabaseRouterOptions>? configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        if (services.Any(service => service.ServiceType == typeof(DatabaseRouter) && Equals(service.ServiceKey, name)))
        {
            throw new InvalidOperationException(name is null
                ? "AddReplicaRouter was called twice. Call it once. A further router, for another cluster, needs a name: AddReplicaRouter(\"billing\")."
                : $"AddReplicaRouter(\"{name}\") was called twice. Call it once for each cluster, with a unique name.");
        }

        if (name is not null && RouterRegistration.OfSameVariables(name, services) is { } other)
            throw new InvalidOperationException($"The routers \"{other}\" and \"{name}\" have the same variables, {ConfigurationNames.Of(name).PrimaryVariable} and so on. Choose names that differ in letters or digits.");

        var registration = new RouterRegistration(name);
        services.AddSingleton(registration);
        var options = services.AddOptions<DatabaseRouterOptions>(registration.OptionsName).Configure(created => created.Names = ConfigurationNames.Of(name));
        if (configuration is not null)
        {
            options.Configure(read => OptionsLoader.Load(read, configuration));
            services.AddSingleton<IOptionsChangeTokenSource<DatabaseRouterOptions>>(new ConfigurationChanges(options.Name, configuration));
        }

        if (configure is not null) options.Configure(configure);
        // A null key registers an unkeyed service.
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
        // Not IOptionsMonitor: if reading fails, it throws into the code that reported the change.
        foreach (var source in provider.GetServices<IOptionsChangeTokenSource<DatabaseRouterOptions>>().Where(source => (source.Name ?? Options.DefaultName) == name))
        {
            router.Engine.Follow(ChangeToken.OnChange(source.GetChangeToken, () => router.Engine.TryReload(() => factory.Create(name))));
        }

        return router;
    }

    private sealed class ConfigurationChanges(string name, IConfiguration configuration) : IOptionsChangeTokenSource<DatabaseRouterOptions>
    {
        public string? Name => name;

        public IChangeToken GetChangeToken() => configuration.GetReloadToken();
    }

    /// <summary>Creates the router when the host starts, so that probes run before the first request, and invalid values fail the start.</summary>
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
                // An application can start before its servers. Operations wait, and the health status shows why.
            }
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
