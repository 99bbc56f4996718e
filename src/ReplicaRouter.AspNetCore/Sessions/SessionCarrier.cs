using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace ReplicaRouter;

/// <summary>Takes sessions' tokens out of requests, and puts them into responses.</summary>
internal sealed class SessionCarrier(WebRouter router, ILogger logger)
{
    private readonly string? _header = router.Options.HeaderName;
    private readonly SessionCookies _cookies = new(router.Options);

    /// <summary>What a request brought along. A page that calls by script sends both, and either may be the later one.</summary>
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

    /// <summary>Tells the caller what its session knows by now, if it is more than the request brought.</summary>
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
                // What the new one covers, and what would be looked at, and counted, with each request.
                if (token.Length > 0 || isBad) _cookies.TakeBack(context, name);
            }
        }
        catch (Exception e)
        {
            // The answer itself is good. Without keys, or without the caller, nothing can be carried.
            if (!context.RequestAborted.IsCancellationRequested) WebLog.TokenNotCarried(logger, e);
        }
    }

    /// <summary>What the caller does not know yet, or has in several cookies.</summary>
    private static ValueTask<string> TokenAsync(RequestSession request)
    {
        var (session, cancellationToken) = (request.Session, request.Context.RequestAborted);
        if (request.Brought.Count > 1) return session.GetTokenAsync(cancellationToken);
        return session.HasNews ? session.GetNewsAsync(cancellationToken) : new ValueTask<string>("");
    }

    /// <summary>A response that shared caches may keep must carry no caller's token to others. One that wrote is made private: its caller must see that.</summary>
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
