using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ReplicaRouter.Dashboard;

/// <summary>The operators' orders: drain, restore and accept hosts, force reads to the primary.</summary>
internal static class OperatorEndpoints
{
    public static void MapOperations(this IEndpointRouteBuilder endpoints, IServiceProvider services, RouterRegistration registration, Operators operators, Orders orders)
    {
        DatabaseRouter RouterOf(HttpContext context) => registration.Of(context.RequestServices);
        var group = endpoints.MapGroup("").AddEndpointFilter(operators);
        var logger = services.GetRequiredService<ILoggerFactory>().CreateLogger(registration.Name is { } name ? $"ReplicaRouter.Dashboard.{name}" : "ReplicaRouter.Dashboard");

        group.MapPost("/hosts/{host}/drain", (string host, HttpContext context) =>
        {
            var router = RouterOf(context);
            if (!router.GetHealthStatus().ContainsKey(host)) return NoSuch(host);
            orders.AreOf(UserOf(context));
            WebLog.DashboardDrains(logger, UserOf(context), host);
            // The order takes effect at once. The request does not wait until connections are returned; the page shows that.
            _ = router.DrainAsync(host, CancellationToken.None);
            return Results.Accepted();
        });

        group.MapPost("/hosts/{host}/restore", async (string host, HttpContext context) =>
        {
            var router = RouterOf(context);
            if (!router.GetHealthStatus().ContainsKey(host)) return NoSuch(host);
            orders.AreOf(UserOf(context));
            WebLog.DashboardRestores(logger, UserOf(context), host);
            await router.RestoreAsync(host, CancellationToken.None).ConfigureAwait(false);
            return Results.NoContent();
        });

        // Returns what acceptance would change and the token that the order needs. A page of another origin can read neither.
        endpoints.MapGet("/hosts/{host}/accept", async (string host, HttpContext context) =>
        {
            if (!await operators.IncludeAsync(context).ConfigureAwait(false)) return Results.StatusCode(StatusCodes.Status403Forbidden);
            return await AcceptAsync(() => Task.FromResult(Results.Json(
                AcceptancePreview.Of(RouterOf(context).PreviewAccept(host), TokensFor(context)), DashboardJson.Default.AcceptancePreview))).ConfigureAwait(false);
        });

        group.MapPost("/hosts/{host}/accept", (string host, HttpContext context) => AcceptAsync(async () =>
        {
            orders.AreOf(UserOf(context));
            var accepted = await RouterOf(context).AcceptAsync(host, CancellationToken.None).ConfigureAwait(false);
            WebLog.DashboardAccepts(logger, UserOf(context), accepted.Host, accepted.SystemIdentifier, accepted.Timeline);
            return Results.NoContent();
        }));

        group.MapPost("/force-to-primary", async (HttpContext context) =>
        {
            orders.AreOf(UserOf(context));
            return await ForceAsync(RouterOf(context), context, logger).ConfigureAwait(false);
        });
    }

    private static async Task<IResult> ForceAsync(DatabaseRouter router, HttpContext context, ILogger logger)
    {
        try
        {
            await router.ForceFailoverToPrimaryAsync(context.RequestAborted).ConfigureAwait(false);
            WebLog.DashboardForces(logger, UserOf(context));
            return Results.Accepted();
        }
        catch (NoEligibleHostException e)
        {
            return Results.Problem(e.Message, statusCode: StatusCodes.Status409Conflict);
        }
    }

    private static async Task<IResult> AcceptAsync(Func<Task<IResult>> order)
    {
        try
        {
            return await order().ConfigureAwait(false);
        }
        catch (ArgumentException e)
        {
            return Results.Problem(e.MessageWithoutParameter(), statusCode: StatusCodes.Status404NotFound);
        }
        catch (InvalidOperationException e)
        {
            return Results.Problem(e.Message, statusCode: StatusCodes.Status409Conflict);
        }
    }

    private static AntiforgeryTokenSet TokensFor(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        return context.RequestServices.GetRequiredService<IAntiforgery>().GetAndStoreTokens(context);
    }

    private static string UserOf(HttpContext context) => context.User.Identity?.Name ?? "(no name)";

    private static IResult NoSuch(string host) => Results.Problem($"There is no host '{host}'.", statusCode: StatusCodes.Status404NotFound);
}
