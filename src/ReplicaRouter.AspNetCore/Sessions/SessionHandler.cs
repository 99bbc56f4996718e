using Microsoft.Extensions.Options;

namespace ReplicaRouter;

/// <summary>Carries the calling code's session to another service, and merges what that one did.</summary>
internal sealed class SessionHandler(DatabaseRouter router, TokenSeal seal, IOptions<DatabaseRouterWebOptions> options) : DelegatingHandler
{
    private readonly string? _header = options.Value.HeaderName;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (Session() is not { } session) return await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        Add(request, await session.GetTokenAsync(cancellationToken).ConfigureAwait(false));
        return Merged(await base.SendAsync(request, cancellationToken).ConfigureAwait(false), session);
    }

    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (Session() is not { } session) return base.Send(request, cancellationToken);
        Add(request, session.GetToken());
        return Merged(base.Send(request, cancellationToken), session);
    }

    private DatabaseSession? Session() => _header is null ? null : DatabaseSession.Ambient(router);

    private void Add(HttpRequestMessage request, string token)
    {
        // A request that is sent again may carry an older one.
        request.Headers.Remove(_header!);
        if (token.Length > 0) request.Headers.TryAddWithoutValidation(_header!, seal.Close(token));
    }

    private HttpResponseMessage Merged(HttpResponseMessage response, DatabaseSession session)
    {
        if (response.Headers.TryGetValues(_header!, out var values)) session.Merge(seal.Open(string.Join(',', values)));
        return response;
    }
}
