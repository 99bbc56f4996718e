using Microsoft.AspNetCore.Http;

namespace ReplicaRouter;

/// <summary>One request and its session of a router.</summary>
internal sealed class RequestSession(HttpContext context, SessionMiddleware middleware) : SessionOrigin
{
    public HttpContext Context => context;

    public DatabaseSession Session { get; set; } = null!;

    /// <summary>The running rest of the pipeline.</summary>
    public Task Serving { get; private set; } = Task.CompletedTask;

    /// <summary>The session cookies that the request carried, and whether each failed to decode.</summary>
    public List<(string Name, bool IsBad)> Brought => _brought ??= [];
    private List<(string Name, bool IsBad)>? _brought;

    public void Serve() => Serving = middleware.ServeAsync(this);

    /// <summary>The endpoint's route. Evaluated on each use, because routing can run after the session began.</summary>
    public override DatabaseRoute? Route => EndpointRoute.Of(context, middleware.Router);

    public override IEnumerable<string?> ReadTokens() => middleware.Router.Carrier.Read(this);

    public Task CarryAsync() => Session.HasNews || _brought is not null ? middleware.Router.Carrier.WriteAsync(this) : Task.CompletedTask;
}
