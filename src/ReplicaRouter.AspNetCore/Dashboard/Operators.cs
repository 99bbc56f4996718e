using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ReplicaRouter.Dashboard;

/// <summary>The users who may operate the router from the page: those who pass the policy; without a policy, none.</summary>
internal sealed class Operators(string? policyName) : IEndpointFilter
{
    /// <summary>Returns whether a request is an operator's.</summary>
    public async Task<bool> IncludeAsync(HttpContext context)
    {
        if (policyName is null) return false;
        var policies = context.RequestServices.GetRequiredService<IAuthorizationPolicyProvider>();
        var policy = await policies.GetPolicyAsync(policyName).ConfigureAwait(false)
            ?? throw new InvalidOperationException($"The dashboard's OperatorPolicy names the authorization policy '{policyName}', which does not exist.");
        var evaluator = context.RequestServices.GetRequiredService<IPolicyEvaluator>();
        var authentication = await evaluator.AuthenticateAsync(policy, context).ConfigureAwait(false);
        return (await evaluator.AuthorizeAsync(policy, authentication, context, context).ConfigureAwait(false)).Succeeded;
    }

    /// <summary>Lets operators' requests from the page pass; answers 403 to other users, and 400 without the page's antiforgery token.</summary>
    /// <remarks>Always 403, never a challenge: the client is a script, which cannot follow one to a sign-in form.</remarks>
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        if (!await IncludeAsync(http).ConfigureAwait(false)) return Results.StatusCode(StatusCodes.Status403Forbidden);
        var antiforgery = http.RequestServices.GetRequiredService<IAntiforgery>();
        if (!await antiforgery.IsRequestValidAsync(http).ConfigureAwait(false)) return Results.StatusCode(StatusCodes.Status400BadRequest);
        return await next(context).ConfigureAwait(false);
    }
}
