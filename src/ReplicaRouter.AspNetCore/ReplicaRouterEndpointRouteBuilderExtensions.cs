using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using ReplicaRouter;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Routes, local ports and health checks of endpoints.</summary>
public static class ReplicaRouterEndpointRouteBuilderExtensions
{
    /// <summary>Sets the route of connections that endpoints inject by <see cref="EndpointRoute.Key"/>.</summary>
    /// <remarks>Requires <c>app.UseReplicaRouter()</c>; without it, the application fails to start.</remarks>
    /// <param name="builder">The endpoint or group.</param>
    /// <param name="route">An operation or the name of a route. The innermost one applies.</param>
    /// <param name="router">The name of the router that this applies to; <see langword="null"/> for the unnamed router.</param>
    /// <returns>The same builder.</returns>
    public static TBuilder RouteTo<TBuilder>(this TBuilder builder, DatabaseRoute route, string? router = null) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new RouteToAttribute(route) { Router = router });

    /// <summary>Makes endpoints answer only requests that arrive on one of these local ports; others get 404.</summary>
    /// <remarks>Checks the connection's port, which a caller cannot forge. <c>RequireHost("*:8081")</c> checks the Host header, which any caller can set.</remarks>
    /// <param name="builder">The endpoint or group.</param>
    /// <param name="ports">The ports, on which the application must listen; 1 to 65535.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentException">There is no port.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A port is out of range.</exception>
    public static TBuilder RequireLocalPort<TBuilder>(this TBuilder builder, params int[] ports) where TBuilder : IEndpointConventionBuilder
    {
        ArgumentNullException.ThrowIfNull(ports);
        if (ports.Length == 0) throw new ArgumentException("RequireLocalPort needs at least one port.", nameof(ports));
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
    /// Maps <c>/api/health</c>, for people and monitors: every host of every router and the counters, 200 when all hosts are healthy, else 503;
    /// <c>/health/live</c>, which never queries a database and answers 200 while the application runs; and <c>/health/ready</c>, 503 only while
    /// an operation of <see cref="DatabaseRouterWebOptions.RequiredOperations"/> cannot be served. None of them opens a connection.
    /// </summary>
    /// <param name="endpoints">The application, or a group with a prefix.</param>
    /// <param name="detailsPolicy">The authorization policy for error texts, which name servers' addresses. Callers who do not pass it see only the
    /// state; <see langword="null"/> shows error texts to no caller.</param>
    /// <returns>A builder for conventions on all three.</returns>
    /// <remarks><c>/health/live</c> and <c>/health/ready</c> run all health checks with the tag <c>live</c> or <c>ready</c>.</remarks>
    /// <exception cref="InvalidOperationException">A policy is named, but authorization is not registered.</exception>
    public static IEndpointConventionBuilder MapReplicaRouterHealth(this IEndpointRouteBuilder endpoints, string? detailsPolicy = null)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        if (detailsPolicy is not null && endpoints.ServiceProvider.GetService<IAuthorizationPolicyProvider>() is null)
            throw new InvalidOperationException($"MapReplicaRouterHealth with the policy '{detailsPolicy}' needs services.AddAuthorization().");
        var group = endpoints.MapGroup("");
        group.MapGet("/api/health", new HealthEndpoint(detailsPolicy).GetAsync);
        group.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = check => check.Tags.Contains("live") });
        group.MapHealthChecks("/health/ready", new HealthCheckOptions { Predicate = check => check.Tags.Contains(ReadinessCheck.Tag) });
        return group;
    }
}
