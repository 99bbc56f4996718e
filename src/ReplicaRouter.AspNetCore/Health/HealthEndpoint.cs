using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ReplicaRouter;

/// <summary>Answers <c>/api/health</c>: 200 when all hosts of all routers are healthy, else 503.</summary>
internal sealed class HealthEndpoint(string? detailsPolicy)
{
    public async Task GetAsync(HttpContext context)
    {
        var services = context.RequestServices;
        var now = (services.GetService<TimeProvider>() ?? TimeProvider.System).GetUtcNow();
        var report = HealthReport.From(services.GetRequiredService<WebRouters>().All, now, await MaySeeDetailsAsync(context).ConfigureAwait(false));
        context.Response.Headers.CacheControl = "no-store";
        context.Response.StatusCode = report.IsHealthy ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        await context.Response.WriteAsJsonAsync(report, HealthReportContext.Default.HealthReport, cancellationToken: context.RequestAborted).ConfigureAwait(false);
    }

    private async Task<bool> MaySeeDetailsAsync(HttpContext context)
    {
        if (detailsPolicy is null) return false;
        var services = context.RequestServices;
        var policy = await services.GetRequiredService<IAuthorizationPolicyProvider>().GetPolicyAsync(detailsPolicy).ConfigureAwait(false)
            ?? throw new InvalidOperationException($"MapReplicaRouterHealth names the authorization policy '{detailsPolicy}', which does not exist.");
        var evaluator = services.GetRequiredService<IPolicyEvaluator>();
        var authentication = await evaluator.AuthenticateAsync(policy, context).ConfigureAwait(false);
        return (await evaluator.AuthorizeAsync(policy, authentication, context, context).ConfigureAwait(false)).Succeeded;
    }
}
