using System.Buffers.Text;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;

namespace ReplicaRouter;

/// <summary>The cookies that carry a browser's session.</summary>
/// <remarks>
/// Responses of requests that ran at once reach the browser in any order, and it keeps the last value of each name. So no response ever sets a name that
/// another one has set: each sets a cookie of its own, which covers all that its request brought, and takes back those. Whatever the order, the
/// browser's cookies together say all that its responses have said, and the next request alone leaves one of them.
/// </remarks>
internal sealed class SessionCookies(DatabaseRouterWebOptions options)
{
    /// <summary>Cookies of one request that are looked at. A browser has one, and for a moment as many as it sent requests at once.</summary>
    private const int MaxCookies = 64;

    /// <summary>Random bytes of a name. Two responses of one browser at the same time must not choose the same.</summary>
    private const int SuffixLength = 6;

    private readonly string? _prefix = options.CookieName is { } name ? $"{name}." : null;
    private readonly TimeSpan _lifetime = options.TokenLifetime;
    private readonly CookieSecurePolicy _secure = options.CookieSecurePolicy;

    /// <summary>What a request brought, by name.</summary>
    public IEnumerable<KeyValuePair<string, string>> BroughtBy(HttpRequest request) => _prefix is null
        ? []
        : request.Cookies.Where(cookie => cookie.Key.StartsWith(_prefix, StringComparison.Ordinal)).Take(MaxCookies);

    public void Set(HttpContext context, string value)
    {
        if (_prefix is null) return;
        var name = _prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SuffixLength));
        context.Response.Cookies.Append(name, value, Settings(context));
    }

    public void TakeBack(HttpContext context, string name) => context.Response.Cookies.Delete(name, Settings(context));

    private CookieOptions Settings(HttpContext context) => new()
    {
        HttpOnly = true,
        SameSite = SameSiteMode.Lax,
        Secure = _secure == CookieSecurePolicy.Always || (_secure == CookieSecurePolicy.SameAsRequest && context.Request.IsHttps),
        MaxAge = _lifetime,
        Path = context.Request.PathBase.HasValue ? context.Request.PathBase.Value : "/",
        IsEssential = true,
    };
}
