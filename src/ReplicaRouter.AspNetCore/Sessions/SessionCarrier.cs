using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace ReplicaRouter;

/// <summary>Reads session tokens from requests and writes them to responses.</summary>
internal sealed class SessionCarrier(WebRouter router, ILogger logger)
{
    private readonly string? _header = router.Options.HeaderName;
    private readonly SessionCookies _cookies = new(router.Options);

    /// <summary>Returns the tokens that a request carries. A page's script sends both header and cookies, and either can be the newer.</summary>
    public IEnumerable<string?> Read(RequestSession request)
    {
        if (_header is not null && request.Context.Request.Headers.TryGetValue(_header, out var sent)) yield return router.Seal.Open(sent.ToString());
        foreach (var (name, value) in _cookies.BroughtBy(request.Context.Request))
        {
            var token = router.Seal.Open(value);
            request.Brought.Add((name, IsBad: token is null));
            yield return token;
        }
    }

    /// <summary>Sends the caller its session's token, if the session knows more than the request carried.</summary>
    public async Task WriteAsync(RequestSession request)
    {
        var context = request.Context;
        try
        {
            if (!MayCarry(request)) return;
            var token = await TokenAsync(request).ConfigureAwait(false);
            if (token.Length > 0)
            {
                var value = router.Seal.Close(token);
                if (_header is not null) context.Response.Headers[_header] = value;
                _cookies.Set(context, value);
            }

            foreach (var (name, isBad) in request.Brought)
            {
                // Delete cookies that the new token covers, and bad ones, which would be decoded and counted again at each request.
                if (token.Length > 0 || isBad) _cookies.TakeBack(context, name);
            }
        }
        catch (Exception e)
        {
            // The response itself is good. Without keys, or after the caller is gone, no token can be sent.
            if (!context.RequestAborted.IsCancellationRequested) WebLog.TokenNotCarried(logger, e);
        }
    }

    /// <summary>Returns what the caller does not know yet; the whole token if the request carried several cookies; else an empty text.</summary>
    private static ValueTask<string> TokenAsync(RequestSession request)
    {
        var (session, cancellationToken) = (request.Session, request.Context.RequestAborted);
        if (request.Brought.Count > 1) return session.GetTokenAsync(cancellationToken);
        return session.HasNews ? session.GetNewsAsync(cancellationToken) : new ValueTask<string>("");
    }

    /// <summary>
    /// Whether the response may carry a token. One that shared caches can store must not, or others would get the caller's token. If the session wrote, the
    /// response becomes private instead, because the caller must see that write.
    /// </summary>
    private static bool MayCarry(RequestSession request)
    {
        var headers = request.Context.Response.GetTypedHeaders();
        if (headers.CacheControl is not { } caching || !(caching.Public || caching.SharedMaxAge is not null)) return true;
        if (!request.Session.HasWritten) return false;
        (caching.Public, caching.Private, caching.SharedMaxAge) = (false, true, null);
        headers.CacheControl = caching;
        return true;
    }
}
