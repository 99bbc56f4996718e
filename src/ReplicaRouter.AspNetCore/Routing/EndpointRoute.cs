using System.Data.Common;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace ReplicaRouter;

/// <summary>Connections that go where the endpoint of the request wants.</summary>
/// <remarks>
/// <c>[FromKeyedServices(EndpointRoute.Key)] NpgsqlConnection connection</c> is one connection of the request, not opened yet, and
/// <c>DbDataSource</c> under the same key gives as many as needed. Both follow <c>RouteTo</c>; without it they write, unless
/// <see cref="DatabaseRouterWebOptions.SafeMethodsRead"/> says otherwise. They need <c>UseReplicaRouter</c>: outside of a request they write. What
/// <see cref="DatabaseRouter.BeginRoute"/> states comes before all that.
/// </remarks>
public static class EndpointRoute
{
    /// <summary>The key of the services.</summary>
    public const string Key = "replica-router-endpoint";

    internal static DbDataSource DataSource(IServiceProvider services)
    {
        var router = services.GetRequiredService<DatabaseRouter>();
        return router.GetDataSource(router.Engine.AmbientRoute ?? DatabaseOperation.Write);
    }

    /// <summary>The route that the endpoint of a request states, or its method where that is to count.</summary>
    internal static DatabaseRoute? Of(HttpContext context)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<RouteToAttribute>() is { } stated) return stated.Route;
        var options = context.RequestServices.GetRequiredService<IOptions<DatabaseRouterWebOptions>>().Value;
        return options.SafeMethodsRead && IsSafe(context.Request.Method) ? DatabaseOperation.Read : null;
    }

    /// <summary>Source: RFC 9110, 9.2.1, "Safe Methods".</summary>
    private static bool IsSafe(string method) =>
        HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsOptions(method) || HttpMethods.IsTrace(method);
}
