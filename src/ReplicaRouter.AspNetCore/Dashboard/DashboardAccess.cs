using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ReplicaRouter.Dashboard;

/// <summary>Who may see the dashboard: those whom the application's authorization lets in. Without any, requests of this machine only.</summary>
internal static class DashboardAccess
{
    /// <summary>The answer to other machines.</summary>
    public const string Closed = "The ReplicaRouter dashboard answers only requests from this machine, because the application does not say who may see it. "
        + "Add .RequireAuthorization() to app.MapReplicaRouterDashboard(...), or .AllowAnonymous() where only trusted people reach the address.\n";

    /// <summary>Guards an endpoint once all that the application says of it is known.</summary>
    public static void Guard(EndpointBuilder endpoint)
    {
        var serve = endpoint.RequestDelegate!;
        if (FaultOf(endpoint) is { } fault) Refuse(endpoint, fault);
        else if (!endpoint.Metadata.Any(item => item is IAuthorizeData or IAllowAnonymous))
            endpoint.RequestDelegate = context => LocalRequest.Is(context) ? serve(context) : AnswerAsync(context, StatusCodes.Status403Forbidden, Closed);
    }

    /// <summary>Why the application's authorization could not work; ASP.NET Core would answer 500 without a word.</summary>
    private static string? FaultOf(EndpointBuilder endpoint)
    {
        var required = endpoint.Metadata.OfType<IAuthorizeData>().ToList();
        if (required.Count == 0 || endpoint.Metadata.OfType<IAllowAnonymous>().Any()) return null;
        var services = endpoint.ApplicationServices;
        if (services.GetService<IAuthorizationPolicyProvider>() is not { } policies) return Missing("AddAuthorization()", "authorization is not registered");
        // Both answer at once unless the application has replaced them: then it knows what it does.
        if (services.GetService<IAuthenticationSchemeProvider>()?.GetAllSchemesAsync() is not { } schemes || (schemes.IsCompletedSuccessfully && !schemes.Result.Any()))
            return Missing("AddAuthentication(...) with a scheme", "no way to sign in is registered");
        var unknown = required.Select(data => data.Policy).FirstOrDefault(name => !string.IsNullOrEmpty(name) && policies.GetPolicyAsync(name) is { IsCompletedSuccessfully: true, Result: null });
        return unknown is null ? null : Missing($"AddAuthorizationBuilder().AddPolicy(\"{unknown}\", ...)", $"there is no policy '{unknown}'");
    }

    private static string Missing(string call, string reason) =>
        $"The ReplicaRouter dashboard requires authorization, but {reason}. Call builder.Services.{call} before the application is built.\n";

    /// <summary>Answers every request with what is wrong, and nothing else.</summary>
    private static void Refuse(EndpointBuilder endpoint, string fault)
    {
        // ASP.NET Core would fail on it before the endpoint could say why.
        foreach (var item in endpoint.Metadata.Where(item => item is IAuthorizeData or AuthorizationPolicy).ToList()) endpoint.Metadata.Remove(item);
        var logger = endpoint.ApplicationServices.GetRequiredService<ILoggerFactory>().CreateLogger("ReplicaRouter.Dashboard");
        endpoint.RequestDelegate = context =>
        {
            WebLog.DashboardNotAuthorizable(logger, fault.TrimEnd());
            return AnswerAsync(context, StatusCodes.Status500InternalServerError, fault);
        };
    }

    private static Task AnswerAsync(HttpContext context, int status, string line)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsync(line, context.RequestAborted);
    }
}
