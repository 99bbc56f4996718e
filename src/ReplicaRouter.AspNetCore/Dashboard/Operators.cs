using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ReplicaRouter.Dashboard;

/// <summary>Those who may operate the router by the page: who passes the policy, or nobody.</summary>
internal sealed class Operators(string? policyName) : IEndpointFilter
{
    /// <summary>Whether the request is an operator's.</summary>
    public async Task<bool> IncludeAsync(HttpContext context)
    {
        if (policyName is null) return false;
        var policies = context.RequestServices.GetRequiredService<IAuthorizationPolicyProvider>();
        var policy = await policies.GetPolicyAsync(policyName).ConfigureAwait(false)
            ?? throw new InvalidOperationException($"The dashboard's OperatorPolicy is '{policyName}', and there is no authorization policy of that name.");
        var evaluator = context.RequestServices.GetRequiredService<IPolicyEvaluator>();
        var authentication = await evaluator.AuthenticateAsync(policy, context).ConfigureAwait(false);
        return (await evaluator.AuthorizeAsync(policy, authentication, context, context).ConfigureAwait(false)).Succeeded;
    }

    /// <summary>Lets operators' requests pass that come from the page: 403 for others, 400 without the page's token.</summary>
    /// <remarks>Always 403, never a challenge: a script asks, which can't follow one to a sign-in form.</remarks>
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        if (!await IncludeAsync(http).ConfigureAwait(false)) return Results.StatusCode(StatusCodes.Status403Forbidden);
        var antiforgery = http.RequestServices.GetRequiredService<IAntiforgery>();
        if (!await antiforgery.IsRequestValidAsync(http).ConfigureAwait(false)) return Results.StatusCode(StatusCodes.Status400BadRequest);
        return await next(context).ConfigureAwait(false);
    }
}
