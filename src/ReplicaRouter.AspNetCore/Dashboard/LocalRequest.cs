using System.Net;
using Microsoft.AspNetCore.Http;

namespace ReplicaRouter.Dashboard;

/// <summary>Distinguishes requests sent directly from this machine from forwarded ones.</summary>
internal static class LocalRequest
{
    /// <summary>Headers that proxies add, besides those that begin with X-Forwarded- or X-Original-.</summary>
    private static readonly string[] s_ofProxies = ["Forwarded", "Via", "X-Real-IP", "CF-Connecting-IP", "True-Client-IP", "X-Client-IP"];

    /// <summary>Whether a request comes from this machine. Doubtful requests count as remote.</summary>
    /// <remarks>
    /// A Unix socket, as proxies use, has no remote address. A host name or Origin other than this machine's indicates a proxy, or a page of another site
    /// whose name was made to resolve to this machine (DNS rebinding). nginx sends HTTP/1.0 by default; no browser does.
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
