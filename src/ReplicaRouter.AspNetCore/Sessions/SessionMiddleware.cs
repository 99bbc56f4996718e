using Microsoft.AspNetCore.Http;

namespace ReplicaRouter;

/// <summary>Gives each request a session of a router. The request's tokens are read when the session is first used; the new token is sent when the response starts.</summary>
internal sealed class SessionMiddleware(RequestDelegate next, WebRouter router)
{
    private static readonly ContextCallback Serve = request => ((RequestSession)request!).Serve();
    private static readonly Func<object, Task> Carry = request => ((RequestSession)request).CarryAsync();

    public WebRouter Router => router;

    public Task InvokeAsync(HttpContext context)
    {
        var request = new RequestSession(context, this);
        // The ambient session must not flow to our caller. An async method would also ensure that, but costs a state machine per request.
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
