using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ReplicaRouter;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Adds the router to a web application.</summary>
public static class ReplicaRouterApplicationBuilderExtensions
{
    /// <summary>
    /// Registers the router, configured by the application's configuration, environment variables and a <c>.env</c> file, and what
    /// <see cref="UseReplicaRouter"/> and <see cref="ReplicaRouterEndpointRouteBuilderExtensions.MapReplicaRouterHealth"/> need.
    /// </summary>
    /// <param name="builder">The application.</param>
    /// <param name="configure">What is set in code; it has the last word.</param>
    /// <returns>The same builder.</returns>
    public static WebApplicationBuilder AddReplicaRouter(this WebApplicationBuilder builder, Action<DatabaseRouterOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ReplicaRouterServiceCollectionExtensions.AddReplicaRouter((IHostApplicationBuilder)builder, configure);
        builder.Services.AddReplicaRouterWeb();
        return builder;
    }

    /// <summary>
    /// Registers a further router, of another cluster, and what <see cref="UseReplicaRouter"/> and
    /// <see cref="ReplicaRouterEndpointRouteBuilderExtensions.MapReplicaRouterHealth"/> need for it. It has its name for its key.
    /// </summary>
    /// <param name="builder">The application.</param>
    /// <param name="name">The router's name: 1 to 63 letters from A to Z, digits, <c>-</c> or <c>_</c>.</param>
    /// <param name="configure">What is set in code; it has the last word.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentException">The name is not usable.</exception>
    /// <exception cref="InvalidOperationException">The application has a router of this name already.</exception>
    public static WebApplicationBuilder AddReplicaRouter(this WebApplicationBuilder builder, string name, Action<DatabaseRouterOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ReplicaRouterServiceCollectionExtensions.AddReplicaRouter((IHostApplicationBuilder)builder, name, configure);
        builder.Services.AddReplicaRouterWeb(name);
        return builder;
    }

    /// <summary>
    /// Makes each request a session of each router, which follows the user from request to request: what they wrote, they see. Place it before whatever
    /// touches the database; a middleware that caches responses belongs before it, since responses of sessions carry a cookie.
    /// </summary>
    /// <param name="app">The application.</param>
    /// <returns>The same application.</returns>
    /// <exception cref="InvalidOperationException">The router or what this needs beside it is not registered.</exception>
    public static IApplicationBuilder UseReplicaRouter(this IApplicationBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        if (app.ApplicationServices.GetService<WebRouters>() is not { All.IsEmpty: false } routers)
            throw new InvalidOperationException("UseReplicaRouter needs builder.AddReplicaRouter(), or services.AddReplicaRouterWeb() beside services.AddReplicaRouter(...).");
        app.ApplicationServices.GetRequiredService<RouteCheck>().HasSessions = true;
        foreach (var router in routers.All) app.Use(next => new SessionMiddleware(next, router).InvokeAsync);
        return app;
    }
}
