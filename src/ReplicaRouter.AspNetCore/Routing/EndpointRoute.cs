using System.Data.Common;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ReplicaRouter;

/// <summary>Connections that follow the route of the request's endpoint.</summary>
/// <remarks>
/// <c>[FromKeyedServices(EndpointRoute.Key)] NpgsqlConnection connection</c> injects one connection per request, not yet open; a
/// <c>DbDataSource</c> under the same key opens as many as needed. Both follow <c>RouteTo</c>; without it they write, unless
/// <see cref="DatabaseRouterWebOptions.SafeMethodsRead"/> applies. They require <c>UseReplicaRouter</c>; outside a request they write.
/// <see cref="DatabaseRouter.BeginRoute"/> takes precedence over all of these. For a named router, append its name to the key, as in
/// <c>[FromKeyedServices(EndpointRoute.Key + ":billing")]</c>; such connections follow the <c>RouteTo</c> that names the router.
/// </remarks>
public static class EndpointRoute
{
    /// <summary>The key of the injected services.</summary>
    public const string Key = "replica-router-endpoint";

    /// <param name="name">The router's name; null for the unnamed one.</param>
    internal static string KeyOf(string? name) => name is null ? Key : $"{Key}:{name}";

    internal static DbDataSource DataSource(IServiceProvider services, string? name)
    {
        var router = new RouterRegistration(name).Of(services);
        return router.GetDataSource(router.Engine.AmbientRoute ?? DatabaseOperation.Write);
    }

    /// <summary>Returns the route that a request's endpoint states for a router; else a read for safe methods, if the options say so; else null.</summary>
    internal static DatabaseRoute? Of(HttpContext context, WebRouter router)
    {
        var stated = context.GetEndpoint()?.Metadata.GetOrderedMetadata<RouteToAttribute>() ?? [];
        // The innermost one applies; it is the last.
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
