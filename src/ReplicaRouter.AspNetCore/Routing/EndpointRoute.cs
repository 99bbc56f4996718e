using System.Data.Common;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace ReplicaRouter;

/// <summary>Connections that go where the endpoint of the request wants.</summary>
/// <remarks>
/// <c>[FromKeyedServices(EndpointRoute.Key)] NpgsqlConnection connection</c> is one connection of the request, not opened yet, and
/// <c>DbDataSource</c> under the same key gives as many as needed. Both follow <c>RouteTo</c>; without it they write, unless
/// <see cref="ReplicaRouterWebOptions.SafeMethodsRead"/> says otherwise. They need <c>UseReplicaRouter</c>: outside of a request they write.
/// </remarks>
public static class EndpointRoute
{
    /// <summary>The key of the services.</summary>
    public const string Key = "replica-router-endpoint";

    internal static DbDataSource DataSource(IServiceProvider services)
    {
        var router = services.GetRequiredService<DatabaseRouter>();
        var options = services.GetRequiredService<IOptions<ReplicaRouterWebOptions>>().Value;
        return router.GetDataSource(Of(RequestSession.Current(router)?.Context, options));
    }

    private static Route Of(HttpContext? context, ReplicaRouterWebOptions options)
    {
        if (context?.GetEndpoint()?.Metadata.GetMetadata<RouteToAttribute>() is { } stated) return stated.Route;
        return options.SafeMethodsRead && context is not null && IsSafe(context.Request.Method) ? DatabaseOperation.Read : DatabaseOperation.Write;
    }

    /// <summary>Source: RFC 9110, 9.2.1, "Safe Methods".</summary>
    private static bool IsSafe(string method) =>
        HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsOptions(method) || HttpMethods.IsTrace(method);
}
