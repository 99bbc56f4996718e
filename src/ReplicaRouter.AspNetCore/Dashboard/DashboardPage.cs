using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ReplicaRouter.Dashboard;

/// <summary>The page: a static file in which the links to other routers and, for operators, the antiforgery token are filled in.</summary>
/// <param name="operators">The users who may operate the router.</param>
/// <param name="links">Links to the pages of the application's routers.</param>
internal sealed class DashboardPage(Operators operators, string links)
{
    // Only the page's own files: no inline script or style, no other origin, no framing.
    private const string Policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private static readonly string s_html = Encoding.UTF8.GetString(DashboardAssets.Read("index.html"));
    private static readonly string s_guide = Encoding.UTF8.GetString(DashboardAssets.Read("guide.html"));

    public async Task<IResult> ServeAsync(HttpContext context)
    {
        // The page's links are relative, so that it works under any path prefix, even one that a proxy strips unannounced.
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

    /// <summary>Returns the guide: what each state means, and what to do.</summary>
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
