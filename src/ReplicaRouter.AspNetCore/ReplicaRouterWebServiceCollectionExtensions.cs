using System.Data.Common;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Npgsql;

namespace ReplicaRouter;

/// <summary>Registers what web applications need beside the router.</summary>
public static class ReplicaRouterWebServiceCollectionExtensions
{
    /// <summary>
    /// Adds what <c>UseReplicaRouter</c> and <c>MapReplicaRouterHealth</c> need: Data Protection, the readiness check <c>replica-router</c>, and a
    /// <see cref="DbDataSource"/> and an <see cref="NpgsqlConnection"/> that go where the endpoint wants (<see cref="EndpointRoute.Key"/>).
    /// The router itself is registered by <c>AddReplicaRouter</c>, which on a <c>WebApplicationBuilder</c> calls this, too.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Sets the options. Called again, it sets more.</param>
    /// <returns>The same services.</returns>
    public static IServiceCollection AddReplicaRouterWeb(this IServiceCollection services, Action<DatabaseRouterWebOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddOptions<DatabaseRouterWebOptions>().ValidateOnStart();
        if (configure is not null) services.Configure(configure);
        if (services.Any(service => service.ServiceType == typeof(SessionCarrier))) return services;

        services.AddSingleton<IValidateOptions<DatabaseRouterWebOptions>, ReplicaRouterWebOptionsValidator>();
        services.AddDataProtection();
        services.AddSingleton<TokenSeal>();
        services.AddSingleton<SessionCookies>();
        services.AddSingleton<SessionCarrier>();
        services.AddTransient<SessionHandler>();
        services.AddSingleton<RouteCheck>();
        services.AddHostedService(provider => provider.GetRequiredService<RouteCheck>());
        services.TryAddKeyedScoped<DbDataSource>(EndpointRoute.Key, (provider, _) => EndpointRoute.DataSource(provider));
        services.TryAddKeyedScoped(EndpointRoute.Key, (provider, _) => (NpgsqlConnection)EndpointRoute.DataSource(provider).CreateConnection());
        services.AddHealthChecks().AddCheck<ReadinessCheck>("replica-router", tags: [ReadinessCheck.Tag]);
        return services;
    }

    /// <summary>
    /// Has a client's requests carry the session under which they are made, and take over what the other service did. The other service needs
    /// <c>UseReplicaRouter</c>, and the same Data Protection keys and application name.
    /// </summary>
    /// <param name="builder">The client's builder; also that of a gRPC client.</param>
    /// <returns>The same builder.</returns>
    public static IHttpClientBuilder AddReplicaRouterSession(this IHttpClientBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddReplicaRouterWeb();
        return builder.AddHttpMessageHandler<SessionHandler>();
    }
}
