using System.Diagnostics.CodeAnalysis;

namespace ReplicaRouter;

/// <summary>Sends the calling code's ambient sessions, at most one per router, to another service, and merges the sessions that it returns.</summary>
internal sealed class SessionHandler(WebRouters routers) : DelegatingHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        foreach (var router in routers.All)
        {
            if (TrySession(router, out var session)) Add(request, router, await session.GetTokenAsync(cancellationToken).ConfigureAwait(false));
        }

        return Merged(await base.SendAsync(request, cancellationToken).ConfigureAwait(false));
    }

    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        foreach (var router in routers.All)
        {
            if (TrySession(router, out var session)) Add(request, router, session.GetToken());
        }

        return Merged(base.Send(request, cancellationToken));
    }

    private static bool TrySession(WebRouter router, [NotNullWhen(true)] out DatabaseSession? session)
    {
        session = router.Options.HeaderName is null ? null : router.Router.CurrentSession;
        return session is not null;
    }

    private static void Add(HttpRequestMessage request, WebRouter router, string token)
    {
        // A request that is sent again can carry an older token.
        request.Headers.Remove(router.Options.HeaderName!);
        if (token.Length > 0) request.Headers.TryAddWithoutValidation(router.Options.HeaderName!, router.Seal.Close(token));
    }

    private HttpResponseMessage Merged(HttpResponseMessage response)
    {
        foreach (var router in routers.All)
        {
            if (TrySession(router, out var session) && response.Headers.TryGetValues(router.Options.HeaderName!, out var values)) session.Merge(router.Seal.Open(string.Join(',', values)));
        }

        return response;
    }
}
