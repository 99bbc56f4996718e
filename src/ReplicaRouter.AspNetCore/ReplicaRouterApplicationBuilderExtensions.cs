using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ReplicaRouter;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Adds the router to a web application.</summary>
public static class ReplicaRouterApplicationBuilderExtensions
{
    /// <summary>
    /// Registers the router, configured by the application's configuration, environment variables and a <c>.env</c> file, and the services of
    /// <see cref="UseReplicaRouter"/> and <see cref="ReplicaRouterEndpointRouteBuilderExtensions.MapReplicaRouterHealth"/>.
    /// </summary>
    /// <param name="builder">The application.</param>
    /// <param name="configure">Sets options in code; these override all other sources.</param>
    /// <returns>The same builder.</returns>
    public static WebApplicationBuilder AddReplicaRouter(this WebApplicationBuilder builder, Action<DatabaseRouterOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ReplicaRouterServiceCollectionExtensions.AddReplicaRouter((IHostApplicationBuilder)builder, configure);
        builder.Services.AddReplicaRouterWeb();
        return builder;
    }

    /// <summary>
    /// Registers a named router, for another cluster, and its services for <see cref="UseReplicaRouter"/> and
    /// <see cref="ReplicaRouterEndpointRouteBuilderExtensions.MapReplicaRouterHealth"/>. The name is also its service key.
    /// </summary>
    /// <param name="builder">The application.</param>
    /// <param name="name">The router's name: 1 to 63 letters from A to Z, digits, <c>-</c> or <c>_</c>.</param>
    /// <param name="configure">Sets options in code; these override all other sources.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentException">The name is not valid.</exception>
    /// <exception cref="InvalidOperationException">The application already has a router of this name.</exception>
    public static WebApplicationBuilder AddReplicaRouter(this WebApplicationBuilder builder, string name, Action<DatabaseRouterOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ReplicaRouterServiceCollectionExtensions.AddReplicaRouter((IHostApplicationBuilder)builder, name, configure);
        builder.Services.AddReplicaRouterWeb(name);
        return builder;
    }

    /// <summary>
    /// Gives each request a session of each router. Sessions follow users from request to request, so that users see their own writes. Place it before anything that
    /// uses the database, and after middleware that caches responses, because responses carry the session's cookie.
    /// </summary>
    /// <param name="app">The application.</param>
    /// <returns>The same application.</returns>
    /// <exception cref="InvalidOperationException">The router or its web services are not registered.</exception>
    public static IApplicationBuilder UseReplicaRouter(this IApplicationBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        if (app.ApplicationServices.GetService<WebRouters>() is not { All.IsEmpty: false } routers)
            throw new InvalidOperationException("UseReplicaRouter needs builder.AddReplicaRouter(), or both services.AddReplicaRouter(...) and services.AddReplicaRouterWeb().");
        app.ApplicationServices.GetRequiredService<RouteCheck>().HasSessions = true;
        foreach (var router in routers.All) app.Use(next => new SessionMiddleware(next, router).InvokeAsync);
        return app;
    }
}
