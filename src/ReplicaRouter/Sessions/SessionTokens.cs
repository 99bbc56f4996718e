namespace ReplicaRouter;

/// <summary>Turns what sessions have seen into tokens, and tokens into what sessions have to see.</summary>
internal sealed class SessionTokens(
    RouterConfiguration configuration, TopologyStore store, Fleet fleet, SessionWatcher watcher, TimeProvider time)
{
    /// <summary>Asks for the position of a session's last deed. Without it, whoever reads on must ask for it.</summary>
    private const int MaxAsks = 2;

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

    public async ValueTask<string> EncodeAsync(SessionState session, CancellationToken cancellationToken)
    {
        if (configuration.SessionWindow is not null) return Encode(session.ExportTime(time.GetUtcNow()));
        var start = time.GetTimestamp();
        for (var asks = 0; ; asks++)
        {
            var topology = store.Current;
            var (token, unsettled, finding) = session.Export(topology, start, time.GetUtcNow());
            watcher.OnFinding(finding, token?.Position ?? default);
            if (unsettled == 0 || asks == MaxAsks) return Encode(token);
            await fleet.AskAsync(topology.WitnessesFor(unsettled, isAcrossTimelines: asks > 0)).WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public void Merge(string? text, SessionState session)
    {
        if (string.IsNullOrEmpty(text)) return;
        if (SessionToken.TryDecode(text, configuration.TokenSecret, out var token)) session.Merge(token, time.GetTimestamp());
        else watcher.OnIgnoredToken(configuration.TokenSecret.Length == 0 ? "it is damaged" : "it is damaged, or was not signed with our TokenSecret");
    }

    private string Encode(SessionToken? token) => token?.Encode(configuration.TokenSecret) ?? "";
}
