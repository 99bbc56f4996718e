using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using ReplicaRouter;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Endpoints and their routes.</summary>
public static class ReplicaRouterEndpointRouteBuilderExtensions
{
    /// <summary>Says what endpoints do with the database: where connections go that are injected by <see cref="EndpointRoute.Key"/>.</summary>
    /// <remarks>It needs <c>app.UseReplicaRouter()</c>: without that the application's start fails.</remarks>
    /// <param name="builder">The endpoint or group.</param>
    /// <param name="route">An operation or the name of a route. The innermost one counts.</param>
    /// <param name="router">The name of the router whose connections it is about; without it the one that has no name.</param>
    /// <returns>The same builder.</returns>
    public static TBuilder RouteTo<TBuilder>(this TBuilder builder, DatabaseRoute route, string? router = null) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new RouteToAttribute(route) { Router = router });

    /// <summary>Has endpoints answer only requests that arrived at one of these ports of this machine, and 404 to others.</summary>
    /// <remarks>The port is that of the connection, which no caller can state. <c>RequireHost("*:8081")</c> asks the Host header, which any caller can.</remarks>
    /// <param name="builder">The endpoint or group.</param>
    /// <param name="ports">The ports, on which the application must listen; 1 to 65535.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentException">No port is given.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A port is none.</exception>
    public static TBuilder RequireLocalPort<TBuilder>(this TBuilder builder, params int[] ports) where TBuilder : IEndpointConventionBuilder
    {
        ArgumentNullException.ThrowIfNull(ports);
        if (ports.Length == 0) throw new ArgumentException("RequireLocalPort needs a port.", nameof(ports));
        foreach (var port in ports)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(port, 1, nameof(ports));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(port, ushort.MaxValue, nameof(ports));
        }

        builder.Finally(endpoint =>
        {
            if (endpoint.RequestDelegate is not { } serve) return;
            endpoint.RequestDelegate = context =>
            {
                if (ports.Contains(context.Connection.LocalPort)) return serve(context);
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                return Task.CompletedTask;
            };
        });
        return builder;
    }

    /// <summary>
    /// Maps <c>/api/health</c>, for people and monitors: every host of every router and the counters, 200 when all hosts are healthy and 503 when one is not;
    /// <c>/health/live</c>, which never asks a database and answers 200 as long as the application runs; and <c>/health/ready</c>, 503 only while
    /// an operation of <see cref="DatabaseRouterWebOptions.RequiredOperations"/> can't be served. None of them opens a connection.
    /// </summary>
    /// <param name="endpoints">The application, or a group that gives a prefix.</param>
    /// <param name="detailsPolicy">The authorization policy of those who see error texts, which name servers' addresses. Others see the state
    /// only, as do all when this is <see langword="null"/>.</param>
    /// <returns>All three, to add conventions.</returns>
    /// <remarks><c>/health/live</c> and <c>/health/ready</c> run all health checks that are tagged <c>live</c> or <c>ready</c>.</remarks>
    /// <exception cref="InvalidOperationException">A policy is named, but authorization is not registered.</exception>
    public static IEndpointConventionBuilder MapReplicaRouterHealth(this IEndpointRouteBuilder endpoints, string? detailsPolicy = null)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        if (detailsPolicy is not null && endpoints.ServiceProvider.GetService<IAuthorizationPolicyProvider>() is null)
            throw new InvalidOperationException($"The policy '{detailsPolicy}' needs services.AddAuthorization().");
        var group = endpoints.MapGroup("");
        group.MapGet("/api/health", new HealthEndpoint(detailsPolicy).GetAsync);
        group.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = check => check.Tags.Contains("live") });
        group.MapHealthChecks("/health/ready", new HealthCheckOptions { Predicate = check => check.Tags.Contains(ReadinessCheck.Tag) });
        return group;
    }
}
