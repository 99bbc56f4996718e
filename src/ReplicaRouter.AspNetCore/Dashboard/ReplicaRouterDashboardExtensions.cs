using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authorization.Policy;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ReplicaRouter;
using ReplicaRouter.Dashboard;
using ReplicaRouter.Dashboard.Feed;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Maps the dashboard.</summary>
public static class ReplicaRouterDashboardExtensions
{
    /// <summary>
    /// Maps a live page of the router's hosts, traffic and events; with several routers, one page for each, linked to one another. It answers only requests from this
    /// machine, until the application calls <c>RequireAuthorization</c> or <c>AllowAnonymous</c> on the returned builder.
    /// </summary>
    /// <example><code>app.MapReplicaRouterDashboard("/replica-router", o => o.OperatorPolicy = "operators").RequireAuthorization("staff");</code></example>
    /// <param name="endpoints">The application.</param>
    /// <param name="pattern">The path of the page, as in <c>/replica-router</c>.</param>
    /// <param name="configure">Sets who may operate the router. Without it, the page is read-only.</param>
    /// <returns>A builder for conventions on the page and all that it loads.</returns>
    /// <exception cref="InvalidOperationException">A service that the page needs is not registered.</exception>
    public static IEndpointConventionBuilder MapReplicaRouterDashboard(
        this IEndpointRouteBuilder endpoints, string pattern, Action<DatabaseRouterDashboardOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(pattern);
        var options = new DatabaseRouterDashboardOptions();
        configure?.Invoke(options);

        var services = endpoints.ServiceProvider;
        if (options.OperatorPolicy is not null)
        {
            services.Require<IPolicyEvaluator>("AddAuthorization");
            services.Require<IAntiforgery>("AddAntiforgery");
        }

        RouterRegistration[] routers = [.. RouterRegistration.AllIn(services)];
        if (routers.Length == 0) throw Missing("AddReplicaRouter");
        // Under an application-wide output cache, a second stream would wait until the first one ends.
        var group = endpoints.MapGroup(pattern).ExcludeFromDescription().CacheOutput(policy => policy.NoCache());
        var operators = new Operators(options.OperatorPolicy);
        foreach (var router in routers) group.MapGroup(RouterLinks.PathOf(routers, router)).MapPage(services, router, operators, RouterLinks.In(routers, router));
        ((IEndpointConventionBuilder)group).Finally(DashboardAccess.Guard);
        return group;
    }

    private static void MapPage(this RouteGroupBuilder group, IServiceProvider services, RouterRegistration router, Operators operators, string links)
    {
        var life = services.GetRequiredService<IHostApplicationLifetime>();
        var orders = new Orders();
        var feed = new DashboardFeed(services, router, operators, orders, services.GetService<TimeProvider>() ?? TimeProvider.System, life.ApplicationStopping);
        // Start with the application, not now: a router's configuration error must fail the start, not the mapping.
        life.ApplicationStarted.Register(feed.Start);
        group.MapGet("/", (Delegate)new DashboardPage(operators, links).ServeAsync);
        group.MapGet("/guide", (Delegate)DashboardPage.ServeGuide);
        group.MapGet("/assets/{file}", DashboardAssets.Serve);
        group.MapGet("/events", (Delegate)feed.StreamAsync).DisableRequestTimeout();
        group.MapGet("/snapshot", (Delegate)feed.SnapshotAsync);
        group.MapOperations(services, router, operators, orders);
    }

    private static void Require<T>(this IServiceProvider services, string method)
    {
        // Checks the registration without resolving the service.
        if (services.GetService<IServiceProviderIsService>() is { } known && !known.IsService(typeof(T))) throw Missing(method);
    }

    private static InvalidOperationException Missing(string method) =>
        new($"The dashboard needs builder.Services.{method}(). Call it before the application is built.");
}
