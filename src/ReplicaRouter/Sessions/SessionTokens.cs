namespace ReplicaRouter;

/// <summary>Turns what sessions have seen into tokens, and tokens into what sessions have to see.</summary>
internal sealed class SessionTokens(
    RouterConfiguration configuration, TopologyStore store, Fleet fleet, SessionWatcher watcher, TimeProvider time)
{
    /// <summary>Asks for the position of a session's last deed. Without it, whoever reads on must ask for it.</summary>
    private const int MaxAsks = 2;

    /// <summary>How far the clock of another process may be ahead of ours.</summary>
    private static readonly TimeSpan ClockDifference = TimeSpan.FromSeconds(5);

    /// <param name="origin">Where the state starts from.</param>
    public SessionState NewState(SessionOrigin? origin = null)
    {
        var state = new SessionState(time);
        foreach (var token in origin?.ReadTokens() ?? []) Merge(token, state);
        state.ForgetNews();
        return state;
    }

    /// <summary>Counts a token that was found to be bad before it was one of ours.</summary>
    public void Ignore(string reason) => watcher.OnIgnoredToken(reason);

    /// <param name="session">The session.</param>
    /// <param name="cancellationToken">Cancels asking for the position of its last deed.</param>
    /// <param name="isNewsOnly">Whether a token that says no more than what the session began with is not wanted.</param>
    public async ValueTask<string> EncodeAsync(SessionState session, CancellationToken cancellationToken, bool isNewsOnly = false)
    {
        var token = await ExportAsync(session, cancellationToken).ConfigureAwait(false);
        return token is { } given && !(isNewsOnly && session.BeganWith(given)) ? Encode(given) : "";
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
            await fleet.AskAsync(topology.WitnessesFor(unsettled, isAcrossTimelines: asks > 0)).WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public void Merge(string? text, SessionState session)
    {
        if (string.IsNullOrEmpty(text)) return;
        if (TryDecode(text, out var token)) session.Merge(Bounded(token), time.GetTimestamp());
        else watcher.OnIgnoredToken(configuration.TokenSecrets.IsEmpty ? "it is damaged" : "it is damaged, or was not signed with our TokenSecret");
    }

    private bool TryDecode(string text, out SessionToken token)
    {
        if (configuration.TokenSecrets.IsEmpty) return SessionToken.TryDecode(text, [], out token);
        foreach (var secret in configuration.TokenSecrets)
        {
            if (SessionToken.TryDecode(text, secret, out token)) return true;
        }

        token = default;
        return false;
    }

    /// <summary>A write that is yet to come would keep the session on the primary until then.</summary>
    private SessionToken Bounded(in SessionToken token)
    {
        var latest = time.GetUtcNow() + ClockDifference;
        return token.IssuedAt > latest ? token with { IssuedAt = latest } : token;
    }

    private string Encode(in SessionToken token) => token.Encode(configuration.TokenSecrets.IsEmpty ? [] : configuration.TokenSecrets[0]);
}
