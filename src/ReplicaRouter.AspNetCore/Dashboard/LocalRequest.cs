using System.Net;
using Microsoft.AspNetCore.Http;

namespace ReplicaRouter.Dashboard;

/// <summary>Tells requests that a person or program on this machine sent by itself from those that something passed on.</summary>
internal static class LocalRequest
{
    /// <summary>Headers by which proxies say that they pass a request on, beside those that begin with X-Forwarded- and X-Original-.</summary>
    private static readonly string[] s_ofProxies = ["Forwarded", "Via", "X-Real-IP", "CF-Connecting-IP", "True-Client-IP", "X-Client-IP"];

    /// <summary>Whether a request comes from this machine. What is not certain counts as coming from elsewhere.</summary>
    /// <remarks>
    /// Over a Unix socket there is no address: proxies use those. A host name that is not this machine's shows a proxy, or a page of another site whose name
    /// was made to lead here (DNS rebinding); so does such an Origin. HTTP/1.0 is what nginx speaks by default and no browser does.
    /// </remarks>
    public static bool Is(HttpContext context)
    {
        var request = context.Request;
        return context.Connection.RemoteIpAddress is { } address && IPAddress.IsLoopback(address)
            && !HttpProtocol.IsHttp10(request.Protocol)
            && IsThisMachine(request.Host.Host)
            && !request.Headers.Any(header => IsOfProxy(header.Key))
            && request.Headers.Origin.All(origin => Uri.TryCreate(origin, UriKind.Absolute, out var uri) && IsThisMachine(uri.Host));
    }

    private static bool IsOfProxy(string header) => header.StartsWith("X-Forwarded-", StringComparison.OrdinalIgnoreCase)
        || header.StartsWith("X-Original-", StringComparison.OrdinalIgnoreCase)
        || s_ofProxies.Contains(header, StringComparer.OrdinalIgnoreCase);

    /// <summary>Source: RFC 6761, 6.3, "Domain Name Reservation Considerations for localhost".</summary>
    private static bool IsThisMachine(string host) => host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
}
