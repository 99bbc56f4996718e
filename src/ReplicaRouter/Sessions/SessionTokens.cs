using System.Collections.Immutable;

namespace ReplicaRouter.Sessions;

/// <summary>Turns what sessions have seen into tokens, and tokens into what sessions must see.</summary>
/// <remarks><c>askAsync</c> probes some hosts now, one bit each.</remarks>
internal sealed class SessionTokens(
    RouterConfiguration configuration, TopologyStore store, Func<ulong, Task> askAsync, SessionWatcher watcher, TimeProvider time)
{
    /// <summary>Times that hosts are asked for the position of a session's last access. After that, the next reader must ask.</summary>
    private const int MaxAsks = 2;

    /// <summary>How far another process's clock can be ahead of ours.</summary>
    private static readonly TimeSpan ClockDifference = TimeSpan.FromSeconds(5);

    /// <summary>The first one signs. An empty one only protects against accidents.</summary>
    private readonly ImmutableArray<byte[]> _secrets = configuration.TokenSecrets.IsEmpty ? [[]] : configuration.TokenSecrets;

    /// <summary>The name of the router; null for the one without.</summary>
    public string? RouterName => configuration.Name;

    public SessionState NewState(SessionOrigin? origin = null)
    {
        var state = new SessionState(time);
        foreach (var token in origin?.ReadTokens() ?? []) Merge(token, state);
        state.ForgetNews();
        return state;
    }

    /// <summary>Counts a token that was rejected before it could be decoded.</summary>
    public void Ignore(string reason) => watcher.OnIgnoredToken(reason);

    /// <summary>Returns the session's token; empty if there is nothing to report or, with <paramref name="isNewsOnly"/>, nothing beyond what the session began with.</summary>
    public async ValueTask<string> EncodeAsync(SessionState session, CancellationToken cancellationToken, bool isNewsOnly = false)
    {
        var token = await ExportAsync(session, cancellationToken).ConfigureAwait(false);
        return token is { } given && !(isNewsOnly && session.BeganWith(given)) ? given.Encode(_secrets[0]) : "";
    }

    private async ValueTask<SessionToken?> ExportAsync(SessionState session, CancellationToken cancellationToken)
    {
        if (configuration.SessionWindow is not null) return session.ExportTime(time.GetUtcNow());
        var start = time.GetTimestamp();
        for (var asks = 0; ; asks++)
        {
            var topology = store.Current;
            var (token, unsettled, finding) = session.Export(topology, start, time.GetUtcNow());
            watcher.OnFinding(finding, token?.Position ?? default);
            if (unsettled == 0 || asks == MaxAsks) return token;
            await askAsync(topology.WitnessesFor(unsettled, isAcrossTimelines: asks > 0)).WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public void Merge(string? text, SessionState session)
    {
        if (string.IsNullOrEmpty(text)) return;
        foreach (var secret in _secrets)
        {
            if (!SessionToken.TryDecode(text, secret, out var token)) continue;
            // One from the future would keep the session on the primary until then.
            var latest = time.GetUtcNow() + ClockDifference;
            session.Merge(token.IssuedAt > latest ? token with { IssuedAt = latest } : token, time.GetTimestamp());
            return;
        }

        watcher.OnIgnoredToken(configuration.TokenSecrets.IsEmpty ? "it is damaged" : "it is damaged, or was not signed with our TokenSecret");
    }
}
