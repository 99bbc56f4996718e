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

/// <summary>Maps the router's live page.</summary>
public static class ReplicaRouterDashboardExtensions
{
    /// <summary>
    /// Maps a live page of the router's hosts, traffic and events; where there are several routers, one for each, with links between them. It answers requests from this machine only, until the application says who may see it: by
    /// <c>RequireAuthorization</c> on what this returns, or <c>AllowAnonymous</c>.
    /// </summary>
    /// <example><code>app.MapReplicaRouterDashboard("/replica-router", o => o.OperatorPolicy = "operators").RequireAuthorization("staff");</code></example>
    /// <param name="endpoints">The application.</param>
    /// <param name="pattern">Where the page is, as in <c>/replica-router</c>.</param>
    /// <param name="configure">Sets who may operate the router. Without it, nobody may by this page.</param>
    /// <returns>A builder for what holds for the page and all that it loads.</returns>
    /// <exception cref="InvalidOperationException">A service is not registered that the page needs.</exception>
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
        // An application-wide output cache would have the second stream wait for the end of the first one.
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
        // With the application rather than now: a router with a wrong configuration is to stop the start, not the mapping.
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
        // Asked for, not resolved.
        if (services.GetService<IServiceProviderIsService>() is { } known && !known.IsService(typeof(T))) throw Missing(method);
    }

    private static InvalidOperationException Missing(string method) =>
        new($"The dashboard needs what builder.Services.{method}() registers. Call it before the application is built.");
}
