using Microsoft.AspNetCore.Http;

namespace ReplicaRouter;

/// <summary>Makes a request a session. What it brought along is looked at when the session is used, what it did is sent when the response starts.</summary>
internal sealed class SessionMiddleware(RequestDelegate next, DatabaseRouter router, SessionCarrier carrier)
{
    private static readonly Func<object, Task> Carry = request => ((RequestSession)request).CarryAsync();

    public async Task InvokeAsync(HttpContext context)
    {
        var request = new RequestSession(context, carrier);
        using var session = request.Session = router.BeginSessionFrom(request);
        context.Response.OnStarting(Carry, request);
        await next(context).ConfigureAwait(false);
    }
}
