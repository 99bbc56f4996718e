using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace ReplicaRouter;

/// <summary>Stops the start of an application whose endpoints state routes that nothing would follow: their connections would all go to the primary.</summary>
internal sealed class RouteCheck(IServiceProvider services) : IHostedLifecycleService
{
    /// <summary>Endpoints that the message names.</summary>
    private const int Named = 3;

    /// <summary>Whether the application makes requests sessions, by which endpoints' routes are followed.</summary>
    public bool HasSessions { get; set; }

    /// <summary>By now all endpoints are mapped.</summary>
    /// <exception cref="InvalidOperationException">Endpoints state routes, and <c>UseReplicaRouter</c> was not called, or they name a router that there is not.</exception>
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        // Applications without endpoints register this as well, for the clients of other services.
        if (services.GetService<EndpointDataSource>() is not { } endpoints) return Task.CompletedTask;
        var routed = endpoints.Endpoints.Where(endpoint => endpoint.Metadata.GetMetadata<RouteToAttribute>() is not null).ToList();
        if (routed.Count == 0) return Task.CompletedTask;
        foreach (var route in routed.SelectMany(endpoint => endpoint.Metadata.GetOrderedMetadata<RouteToAttribute>())) services.GetRequiredService<WebRouters>().Of(route.Router);
        return HasSessions ? Task.CompletedTask : throw new InvalidOperationException(
            $"{string.Join(", ", routed.Take(Named).Select(Describe))}{(routed.Count > Named ? $" and {routed.Count - Named} more" : "")} state by RouteTo where their connections go, "
            + "but the application never calls app.UseReplicaRouter(), without which all of them would go to the primary. Call it before the endpoints are mapped.");
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private static string Describe(Endpoint endpoint) => $"'{endpoint.DisplayName}' ({endpoint.Metadata.GetMetadata<RouteToAttribute>()!.Route.Name})";
}
