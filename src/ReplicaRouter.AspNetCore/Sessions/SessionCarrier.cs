using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace ReplicaRouter;

/// <summary>Takes sessions' tokens out of requests, and puts them into responses.</summary>
internal sealed class SessionCarrier(TokenSeal seal, IOptions<ReplicaRouterWebOptions> options, ILogger<DatabaseRouter> logger)
{
    private readonly string? _cookie = options.Value.CookieName;
    private readonly string? _header = options.Value.HeaderName;
    private readonly TimeSpan _lifetime = options.Value.Lifetime;

    /// <summary>What a request brought along. A page that calls by script sends both, and either may be the later one.</summary>
    public IEnumerable<string?> Read(RequestSession request)
    {
        if (_header is not null && request.Context.Request.Headers.TryGetValue(_header, out var sent)) yield return seal.Open(sent.ToString());
        if (_cookie is null || !request.Context.Request.Cookies.TryGetValue(_cookie, out var kept)) yield break;
        var token = seal.Open(kept);
        request.HasBadCookie = token is null;
        yield return token;
    }

    /// <summary>Tells the caller what its session knows by now.</summary>
    public async Task WriteAsync(RequestSession request)
    {
        var context = request.Context;
        try
        {
            var token = request.Session.HasNews ? await request.Session.GetTokenAsync(context.RequestAborted).ConfigureAwait(false) : "";
            // One that is no good would be looked at, and counted, with each request.
            if (token.Length == 0 && request.HasBadCookie) context.Response.Cookies.Delete(_cookie!, Cookie(context));
            if (token.Length == 0) return;
            var value = seal.Close(token);
            if (_header is not null) context.Response.Headers[_header] = value;
            if (_cookie is not null) context.Response.Cookies.Append(_cookie, value, Cookie(context));
        }
        catch (Exception e)
        {
            // The answer itself is good. Without keys, or without the caller, there is nobody to tell.
            if (!context.RequestAborted.IsCancellationRequested) WebLog.TokenNotCarried(logger, e);
        }
    }

    private CookieOptions Cookie(HttpContext context) => new()
    {
        HttpOnly = true,
        SameSite = SameSiteMode.Lax,
        Secure = context.Request.IsHttps,
        MaxAge = _lifetime,
        Path = context.Request.PathBase.HasValue ? context.Request.PathBase.Value : "/",
        IsEssential = true,
    };
}
