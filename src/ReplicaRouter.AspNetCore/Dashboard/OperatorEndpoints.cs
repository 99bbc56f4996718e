using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ReplicaRouter.Dashboard;

/// <summary>What operators order: drain, restore, reads to the primary.</summary>
internal static class OperatorEndpoints
{
    public static void MapOperations(this IEndpointRouteBuilder endpoints, IServiceProvider services, Operators operators)
    {
        var group = endpoints.MapGroup("").AddEndpointFilter(operators);
        var logger = services.GetRequiredService<ILoggerFactory>().CreateLogger("ReplicaRouter.Dashboard");

        group.MapPost("/hosts/{host}/drain", (string host, HttpContext context) =>
        {
            var router = RouterOf(context);
            if (!router.GetHealthStatus().ContainsKey(host)) return NoSuch(host);
            WebLog.DashboardDrains(logger, UserOf(context), host);
            // It takes effect at once; that connections are returned is for the page to show, not for the request to wait for.
            _ = router.DrainAsync(host, CancellationToken.None);
            return Results.Accepted();
        });

        group.MapPost("/hosts/{host}/restore", async (string host, HttpContext context) =>
        {
            var router = RouterOf(context);
            if (!router.GetHealthStatus().ContainsKey(host)) return NoSuch(host);
            WebLog.DashboardRestores(logger, UserOf(context), host);
            await router.RestoreAsync(host, CancellationToken.None).ConfigureAwait(false);
            return Results.NoContent();
        });

        group.MapPost("/force-to-primary", async (HttpContext context) =>
        {
            try
            {
                await RouterOf(context).ForceFailoverToPrimaryAsync(context.RequestAborted).ConfigureAwait(false);
                WebLog.DashboardForces(logger, UserOf(context));
                return Results.Accepted();
            }
            catch (NoEligibleHostException e)
            {
                return Results.Problem(e.Message, statusCode: StatusCodes.Status409Conflict);
            }
        });
    }

    private static DatabaseRouter RouterOf(HttpContext context) => context.RequestServices.GetRequiredService<DatabaseRouter>();

    private static string UserOf(HttpContext context) => context.User.Identity?.Name ?? "(no name)";

    private static IResult NoSuch(string host) => Results.Problem($"There is no host '{host}'.", statusCode: StatusCodes.Status404NotFound);
}
