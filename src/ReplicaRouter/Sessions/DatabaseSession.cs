namespace ReplicaRouter;

/// <summary>A unit of work whose reads see its own writes and never go back in time, across hosts, failovers and, with its token, processes.</summary>
/// <remarks>
/// <see cref="DatabaseRouter.BeginSession"/> creates an ambient session: until it is disposed, it covers the operations of the calling code and of all tasks and calls that
/// this code starts. <see cref="DatabaseRouter.CreateSession"/> creates a session that covers only operations whose <see cref="OperationOptions.Session"/> it is.
/// A session begun inside another session of the same router continues that one. A task that outlives its session has no session. Thread-safe. Holds no connection.
/// </remarks>
public sealed class DatabaseSession : IDisposable
{
    private static readonly AsyncLocal<DatabaseSession?> s_ambient = new();

    /// <summary>Also identifies the cluster: all databases of a cluster share it.</summary>
    private readonly SessionTokens _tokens;
    private readonly DatabaseSession? _outer;
    private SessionState? _state;
    private volatile bool _isDisposed;

    private DatabaseSession(SessionTokens tokens, DatabaseSession? outer, DatabaseSession? continued, SessionOrigin? origin)
    {
        (_tokens, _outer) = (tokens, outer);
        (Root, Origin) = continued is null ? (this, origin) : (continued.Root, continued.Origin);
    }

    /// <inheritdoc cref="SessionTokens.RouterName"/>
    internal string? RouterName => _tokens.RouterName;

    /// <summary>The outermost session that this one continues; the session itself if it continues none.</summary>
    internal DatabaseSession Root { get; }

    /// <summary>Created at the first use: most sessions, such as those of web requests for files, never need it.</summary>
    internal SessionState State => Volatile.Read(ref Root._state) ?? Root.CreateState();

    /// <summary>Supplies the tokens and route that the session starts with; null if it was begun with at most a token.</summary>
    internal SessionOrigin? Origin { get; }

    /// <summary>Whether the session has read, written or merged a token since it began.</summary>
    internal bool HasNews => Volatile.Read(ref Root._state) is { HasNews: true };

    /// <summary>Whether the session opened a connection that can write.</summary>
    internal bool HasWritten => Volatile.Read(ref Root._state) is { HasWritten: true };

    /// <summary>Returns a token with which another process can continue the session: a short text, safe in a URL, header or cookie.</summary>
    /// <returns>The token; empty if the session has neither written nor read.</returns>
    /// <remarks>
    /// If the position of the last write or read is not known yet, this queries the primary for it: one round trip. Without an answer, it gives up
    /// after a few probe time-outs, and the process that uses the token must query instead. Also works after <see cref="Dispose"/>.
    /// </remarks>
    /// <param name="cancellationToken">Cancels the query.</param>
    public ValueTask<string> GetTokenAsync(CancellationToken cancellationToken = default) =>
        Root._state is null && Origin is null ? new ValueTask<string>("") : _tokens.EncodeAsync(State, cancellationToken);

    /// <inheritdoc cref="GetTokenAsync"/>
    /// <remarks>Like <see cref="GetTokenAsync"/>, but blocks the thread during the query.</remarks>
    public string GetToken() => GetTokenAsync().AsTask().GetAwaiter().GetResult();

    /// <summary>
    /// Whether the session has written or read something that the cluster may have lost, because the primary failed before it was replicated. The
    /// session continues from the new primary's data. Check the last writes before you rely on them.
    /// </summary>
    /// <remarks>
    /// Without synchronous replication this is also true if a loss can't be ruled out: the primary failed before the position of the last write
    /// was learned. With synchronous replication, acknowledged commits survive the promotion of a synchronous standby, and only a proven loss is reported.
    /// </remarks>
    public bool HasLostHistory => Volatile.Read(ref Root._state) is { HasLostHistory: true };

    /// <summary>Returns the token if it holds more than the session began with; otherwise an empty text.</summary>
    internal ValueTask<string> GetNewsAsync(CancellationToken cancellationToken) => _tokens.EncodeAsync(State, cancellationToken, isNewsOnly: true);

    /// <summary>Merges another session's token: from now on, reads also see what that session had written and read. The later of two positions wins.</summary>
    /// <param name="token">A token from <see cref="GetTokenAsync"/>; <see langword="null"/> or empty for none. A damaged, forged or foreign token is ignored and counted.</param>
    public void Merge(string? token)
    {
        if (!string.IsNullOrEmpty(token)) _tokens.Merge(token, State);
    }

    /// <summary>
    /// Makes this session ambient for the calling code and everything that it starts, until the result is disposed. Use it for a session of
    /// <see cref="DatabaseRouter.CreateSession"/> where code can't be passed the session.
    /// </summary>
    /// <remarks>An async iterator loses ambient state at its next <c>yield</c>. Enter the session again after each one.</remarks>
    /// <returns>The scope. The calling code must dispose it before it returns or yields.</returns>
    /// <exception cref="ObjectDisposedException">The session has ended.</exception>
    public IDisposable Enter()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return s_ambient.Value = new DatabaseSession(_tokens, Ambient(null), this, null);
    }

    /// <summary>Ends the session. Later operations that name it throw <see cref="ObjectDisposedException"/>.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        if (ReferenceEquals(s_ambient.Value, this)) s_ambient.Value = _outer;
    }

    /// <summary>Returns the innermost session that covers the calling code and has not ended, of one cluster or, for null, of any; null if there is none.</summary>
    internal static DatabaseSession? Ambient(SessionTokens? cluster)
    {
        var session = s_ambient.Value;
        while (session is not null && (session._isDisposed || (cluster is not null && session._tokens != cluster))) session = session._outer;
        return session;
    }

    internal static DatabaseSession Begin(SessionTokens tokens, SessionOrigin? origin)
    {
        var continued = Ambient(tokens);
        // Skips outer sessions that have ended. Otherwise the chain would grow in code that outlives them.
        var session = s_ambient.Value = new DatabaseSession(tokens, Ambient(null), continued, origin);
        if (continued is null || origin is null) return session;
        foreach (var token in origin.ReadTokens()) session.Merge(token);
        return session;
    }

    internal static DatabaseSession Create(SessionTokens tokens) => new(tokens, null, null, null);

    internal void ThrowIfNotOf(SessionTokens cluster)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (_tokens != cluster) throw new ArgumentException("The session belongs to another router.");
    }

    private SessionState CreateState()
    {
        if (Origin is null) return Interlocked.CompareExchange(ref _state, _tokens.NewState(), null) ?? _state;
        // Read each token only once: an invalid one must not be counted twice.
        lock (Origin) return _state ??= _tokens.NewState(Origin);
    }
}
