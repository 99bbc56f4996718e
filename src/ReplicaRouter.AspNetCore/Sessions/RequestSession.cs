using Microsoft.AspNetCore.Http;

namespace ReplicaRouter;

/// <summary>One request and its session.</summary>
internal sealed class RequestSession(HttpContext context, SessionCarrier carrier) : SessionOrigin
{
    public HttpContext Context => context;

    public RoutingSession Session { get; set; } = null!;

    /// <summary>Whether the request's cookie is of no use.</summary>
    public bool HasBadCookie { get; set; }

    /// <summary>The request that the calling code serves, if any.</summary>
    public static RequestSession? Current(DatabaseRouter router) => RoutingSession.Ambient(router)?.Origin as RequestSession;

    public override IEnumerable<string?> ReadTokens() => carrier.Read(this);

    public Task CarryAsync() => Session.HasNews || HasBadCookie ? carrier.WriteAsync(this) : Task.CompletedTask;
}
