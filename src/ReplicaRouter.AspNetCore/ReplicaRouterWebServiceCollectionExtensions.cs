using System.Data.Common;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using Npgsql;

namespace ReplicaRouter;

/// <summary>Registers the router's services for web applications.</summary>
public static class ReplicaRouterWebServiceCollectionExtensions
{
    /// <summary>
    /// Adds the services of <c>UseReplicaRouter</c> and <c>MapReplicaRouterHealth</c>: Data Protection, the readiness check <c>replica-router</c>, and a
    /// <see cref="DbDataSource"/> and an <see cref="NpgsqlConnection"/> that follow the endpoint's route (<see cref="EndpointRoute.Key"/>).
    /// <c>AddReplicaRouter</c> registers the router itself; on a <c>WebApplicationBuilder</c> it also calls this method.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Sets the options. Further calls add to earlier ones.</param>
    /// <returns>The same services.</returns>
    public static IServiceCollection AddReplicaRouterWeb(this IServiceCollection services, Action<DatabaseRouterWebOptions>? configure = null) => services.AddWeb(null, configure);

    /// <summary>Adds the same for a named router. Its readiness check is <c>replica-router-</c><i>name</i>, and its keys end with <c>:</c><i>name</i>.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="name">The router's name.</param>
    /// <param name="configure">Sets the options. Further calls add to earlier ones.</param>
    /// <returns>The same services.</returns>
    /// <exception cref="ArgumentException">The name is not valid.</exception>
    public static IServiceCollection AddReplicaRouterWeb(this IServiceCollection services, string name, Action<DatabaseRouterWebOptions>? configure = null) =>
        services.AddWeb(RouterRegistration.Checked(name), configure);

    /// <summary>
    /// Makes a client's requests carry the caller's sessions of all routers, and merges the sessions that the other service returns. That service needs
    /// <c>UseReplicaRouter</c>, and the same Data Protection keys and application name.
    /// </summary>
    /// <param name="builder">The client's builder; a gRPC client's works, too.</param>
    /// <returns>The same builder.</returns>
    public static IHttpClientBuilder AddReplicaRouterSession(this IHttpClientBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddShared();
        return builder.AddHttpMessageHandler<SessionHandler>();
    }

    private static IServiceCollection AddWeb(this IServiceCollection services, string? name, Action<DatabaseRouterWebOptions>? configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddShared();
        var registration = new RouterRegistration(name);
        var options = services.AddOptions<DatabaseRouterWebOptions>(registration.OptionsName).ValidateOnStart();
        if (configure is not null) options.Configure(configure);
        var added = new Added(name);
        if (services.Any(service => added.Equals(service.ImplementationInstance))) return services;

        services.AddSingleton(added);
        var key = EndpointRoute.KeyOf(name);
        services.TryAddKeyedScoped<DbDataSource>(key, (provider, _) => EndpointRoute.DataSource(provider, name));
        services.TryAddKeyedScoped(key, (provider, _) => (NpgsqlConnection)EndpointRoute.DataSource(provider, name).CreateConnection());
        services.AddHealthChecks().Add(new HealthCheckRegistration(
            name is null ? "replica-router" : $"replica-router-{name}", provider => new ReadinessCheck(provider.GetRequiredService<WebRouters>().Of(name)), failureStatus: null, [ReadinessCheck.Tag]));
        return services;
    }

    /// <summary>Adds the services that all routers share, once.</summary>
    private static void AddShared(this IServiceCollection services)
    {
        if (services.Any(service => service.ServiceType == typeof(WebRouters))) return;
        services.AddOptions<DatabaseRouterWebOptions>();
        services.AddSingleton<IValidateOptions<DatabaseRouterWebOptions>, DatabaseRouterWebOptionsValidator>();
        services.AddSingleton<IPostConfigureOptions<DatabaseRouterWebOptions>, WebOptionsOfNamedRouter>();
        services.AddDataProtection();
        services.AddSingleton<WebRouters>();
        services.AddTransient<SessionHandler>();
        services.AddSingleton<RouteCheck>();
        services.AddHostedService(provider => provider.GetRequiredService<RouteCheck>());
    }

    /// <summary>Marks a router as added. Adding its health check twice is an error.</summary>
    private sealed record Added(string? Name);
}
