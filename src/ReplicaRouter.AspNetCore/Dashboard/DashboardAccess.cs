using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ReplicaRouter.Dashboard;

/// <summary>Guards the dashboard: the application's authorization decides. Without any, only requests from this machine get an answer.</summary>
internal static class DashboardAccess
{
    /// <summary>The response to other machines.</summary>
    public const string Closed = "The ReplicaRouter dashboard answers only requests from this machine, because the application sets no authorization for it. "
        + "Add .RequireAuthorization() to app.MapReplicaRouterDashboard(...), or .AllowAnonymous() if only trusted people can reach the address.\n";

    /// <summary>Guards an endpoint. Call it once the endpoint's metadata is complete.</summary>
    public static void Guard(EndpointBuilder endpoint)
    {
        var serve = endpoint.RequestDelegate!;
        if (FaultOf(endpoint) is { } fault) Refuse(endpoint, fault);
        else if (!endpoint.Metadata.Any(item => item is IAuthorizeData or IAllowAnonymous))
            endpoint.RequestDelegate = context => LocalRequest.Is(context) ? serve(context) : AnswerAsync(context, StatusCodes.Status403Forbidden, Closed);
    }

    /// <summary>Returns why the application's authorization cannot work, or null. ASP.NET Core would answer 500 without a reason.</summary>
    private static string? FaultOf(EndpointBuilder endpoint)
    {
        var required = endpoint.Metadata.OfType<IAuthorizeData>().ToList();
        if (required.Count == 0 || endpoint.Metadata.OfType<IAllowAnonymous>().Any()) return null;
        var services = endpoint.ApplicationServices;
        if (services.GetService<IAuthorizationPolicyProvider>() is not { } policies) return Missing("AddAuthorization()", "authorization is not registered");
        // Both this provider and the policy provider complete synchronously, unless the application replaced them. Replacements are not checked.
        if (services.GetService<IAuthenticationSchemeProvider>()?.GetAllSchemesAsync() is not { } schemes || (schemes.IsCompletedSuccessfully && !schemes.Result.Any()))
            return Missing("AddAuthentication(...) with a scheme", "no authentication scheme is registered");
        var unknown = required.Select(data => data.Policy).FirstOrDefault(name => !string.IsNullOrEmpty(name) && policies.GetPolicyAsync(name) is { IsCompletedSuccessfully: true, Result: null });
        return unknown is null ? null : Missing($"AddAuthorizationBuilder().AddPolicy(\"{unknown}\", ...)", $"there is no policy '{unknown}'");
    }

    private static string Missing(string call, string reason) =>
        $"The ReplicaRouter dashboard requires authorization, but {reason}. Call builder.Services.{call} before the application is built.\n";

    /// <summary>Makes an endpoint answer every request with the fault.</summary>
    private static void Refuse(EndpointBuilder endpoint, string fault)
    {
        // With this metadata, ASP.NET Core would fail before the endpoint can report the fault.
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
