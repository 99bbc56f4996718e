using System.Buffers.Text;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;

namespace ReplicaRouter;

/// <summary>The cookies that carry a browser's session.</summary>
/// <remarks>
/// Responses to concurrent requests reach the browser in any order, and it keeps the last value of each name. So each response sets a cookie of a new name,
/// whose token covers all cookies of its request, and deletes those. In any order, the browser's cookies together cover all that its responses sent, and
/// the next request without concurrent ones leaves a single cookie.
/// </remarks>
internal sealed class SessionCookies(DatabaseRouterWebOptions options)
{
    /// <summary>Most cookies read from one request. A browser holds one, and briefly one for each concurrent request.</summary>
    private const int MaxCookies = 64;

    /// <summary>Random bytes in a name: concurrent responses to one browser must not choose the same name.</summary>
    private const int SuffixLength = 6;

    private readonly string? _prefix = options.CookieName is { } name ? $"{name}." : null;
    private readonly TimeSpan _lifetime = options.TokenLifetime;
    private readonly CookieSecurePolicy _secure = options.CookieSecurePolicy;

    /// <summary>Returns the session cookies that a request carries.</summary>
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
