using System.Data.Common;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ReplicaRouter;

/// <summary>Connections that go where the endpoint of the request wants.</summary>
/// <remarks>
/// <c>[FromKeyedServices(EndpointRoute.Key)] NpgsqlConnection connection</c> is one connection of the request, not opened yet, and
/// <c>DbDataSource</c> under the same key gives as many as needed. Both follow <c>RouteTo</c>; without it they write, unless
/// <see cref="DatabaseRouterWebOptions.SafeMethodsRead"/> says otherwise. They need <c>UseReplicaRouter</c>: outside of a request they write. What
/// <see cref="DatabaseRouter.BeginRoute"/> states comes before all that. Those of a further router have its name added to the key, as in
/// <c>[FromKeyedServices(EndpointRoute.Key + ":billing")]</c>, and follow the <c>RouteTo</c> that names it.
/// </remarks>
public static class EndpointRoute
{
    /// <summary>The key of the services.</summary>
    public const string Key = "replica-router-endpoint";

    /// <param name="name">The router's name; null for the one without.</param>
    internal static string KeyOf(string? name) => name is null ? Key : $"{Key}:{name}";

    internal static DbDataSource DataSource(IServiceProvider services, string? name)
    {
        var router = new RouterRegistration(name).Of(services);
        return router.GetDataSource(router.Engine.AmbientRoute ?? DatabaseOperation.Write);
    }

    /// <summary>The route that the endpoint of a request states for a router, or its method where that is to count.</summary>
    internal static DatabaseRoute? Of(HttpContext context, WebRouter router)
    {
        var stated = context.GetEndpoint()?.Metadata.GetOrderedMetadata<RouteToAttribute>() ?? [];
        // The innermost one counts, which is the last.
        for (var i = stated.Count - 1; i >= 0; i--)
        {
            if (stated[i].Router == router.Name) return stated[i].Route;
        }

        return router.Options.SafeMethodsRead && IsSafe(context.Request.Method) ? DatabaseOperation.Read : null;
    }

    /// <summary>Source: RFC 9110, 9.2.1, "Safe Methods".</summary>
    private static bool IsSafe(string method) =>
        HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsOptions(method) || HttpMethods.IsTrace(method);
}
