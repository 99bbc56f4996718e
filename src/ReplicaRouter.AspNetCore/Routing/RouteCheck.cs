using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace ReplicaRouter;

/// <summary>Fails the start of an application whose endpoints state routes that nothing follows: all their connections would go to the primary.</summary>
internal sealed class RouteCheck(IServiceProvider services) : IHostedLifecycleService
{
    /// <summary>Most endpoints that the message names.</summary>
    private const int Named = 3;

    /// <summary>Whether <c>UseReplicaRouter</c> was called. Its sessions make connections follow the endpoints' routes.</summary>
    public bool HasSessions { get; set; }

    /// <summary>Checks the endpoints, which are all mapped by now.</summary>
    /// <exception cref="InvalidOperationException">Endpoints state routes, but <c>UseReplicaRouter</c> was not called, or they name a router that does not exist.</exception>
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        // Applications without endpoints register this, too: for clients that call other services.
        if (services.GetService<EndpointDataSource>() is not { } endpoints) return Task.CompletedTask;
        var routed = endpoints.Endpoints.Where(endpoint => endpoint.Metadata.GetMetadata<RouteToAttribute>() is not null).ToList();
        if (routed.Count == 0) return Task.CompletedTask;
        foreach (var route in routed.SelectMany(endpoint => endpoint.Metadata.GetOrderedMetadata<RouteToAttribute>())) services.GetRequiredService<WebRouters>().Of(route.Router);
        return HasSessions ? Task.CompletedTask : throw new InvalidOperationException(
            $"RouteTo is used by {string.Join(", ", routed.Take(Named).Select(Describe))}{(routed.Count > Named ? $" and {routed.Count - Named} more" : "")}, "
            + "but the application never calls app.UseReplicaRouter(), so all their connections would go to the primary. Call it before mapping the endpoints.");
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private static string Describe(Endpoint endpoint) => $"'{endpoint.DisplayName}' ({endpoint.Metadata.GetMetadata<RouteToAttribute>()!.Route.Name})";
}
