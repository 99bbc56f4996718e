using Microsoft.AspNetCore.Http;

namespace ReplicaRouter;

/// <summary>Makes a request a session of a router. What it brought along is looked at when the session is used, what it did is sent when the response starts.</summary>
internal sealed class SessionMiddleware(RequestDelegate next, WebRouter router)
{
    private static readonly ContextCallback Serve = request => ((RequestSession)request!).Serve();
    private static readonly Func<object, Task> Carry = request => ((RequestSession)request).CarryAsync();

    public WebRouter Router => router;

    public Task InvokeAsync(HttpContext context)
    {
        var request = new RequestSession(context, this);
        // The session must not reach our caller. An async method would see to that as well, at the price of its state machine for each request.
        if (ExecutionContext.Capture() is { } callers) ExecutionContext.Run(callers, Serve, request);
        else request.Serve();
        return request.Serving;
    }

    public Task ServeAsync(RequestSession request)
    {
        var response = request.Context.Response;
        request.Session = router.Router.Engine.BeginSessionFrom(request);
        response.RegisterForDispose(request.Session);
        response.OnStarting(Carry, request);
        return next(request.Context);
    }
}
