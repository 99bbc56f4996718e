using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ReplicaRouter.Dashboard;

/// <summary>The page itself: a file in which only the operator's token is filled in, for operators.</summary>
/// <param name="operators">Those who may operate the router.</param>
/// <param name="links">Links to the pages of the application's routers.</param>
internal sealed class DashboardPage(Operators operators, string links)
{
    // Nothing but the page's own files: no inline script or style, no other origin, nobody's frame.
    private const string Policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private static readonly string s_html = Encoding.UTF8.GetString(DashboardAssets.Read("index.html"));
    private static readonly string s_guide = Encoding.UTF8.GetString(DashboardAssets.Read("guide.html"));

    public async Task<IResult> ServeAsync(HttpContext context)
    {
        // The page's links are relative to it, so that it works under any prefix, also one that a proxy takes off without telling.
        var path = context.Request.Path.Value!;
        if (!path.EndsWith('/')) return Results.Redirect(path[(path.LastIndexOf('/') + 1)..] + "/");

        var token = "";
        if (await operators.IncludeAsync(context).ConfigureAwait(false))
        {
            var tokens = context.RequestServices.GetRequiredService<IAntiforgery>().GetAndStoreTokens(context);
            token = $"""<meta name="operator-token" content="{HtmlEncoder.Default.Encode(tokens.RequestToken!)}" data-header="{HtmlEncoder.Default.Encode(tokens.HeaderName!)}">""";
        }

        return Html(context, s_html.Replace("<!-- operator -->", token, StringComparison.Ordinal).Replace("<!-- routers -->", links, StringComparison.Ordinal));
    }

    /// <summary>What each state means, and what to do.</summary>
    public static IResult ServeGuide(HttpContext context) => Html(context, s_guide);

    private static IResult Html(HttpContext context, string html)
    {
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers.CacheControl = "no-store";
        return Results.Content(html, "text/html; charset=utf-8");
    }
}
