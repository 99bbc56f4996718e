namespace ReplicaRouter;

/// <summary>A unit of work whose reads see its own writes and never go back in time: across hosts, failovers and, by its token, processes.</summary>
/// <remarks>
/// <see cref="DatabaseRouter.BeginSession"/> makes it ambient: until it is disposed, it covers the operations of the code that began it, and of all tasks and calls that this
/// code starts. <see cref="DatabaseRouter.CreateSession"/> makes one that covers only the operations to which it is given as <see cref="OperationOptions.Session"/>.
/// A session that is begun inside another one of the same router continues it. A task that outlives its session works outside of any. Thread-safe. Holds no connection.
/// </remarks>
public sealed class DatabaseSession : IDisposable
{
    private static readonly AsyncLocal<DatabaseSession?> s_ambient = new();

    private readonly object _cluster;
    private readonly SessionTokens _tokens;
    private readonly DatabaseSession? _outer;
    private SessionState? _state;
    private volatile bool _isDisposed;

    private DatabaseSession(object cluster, SessionTokens tokens, DatabaseSession? outer, DatabaseSession? continued, SessionOrigin? origin)
    {
        (_cluster, _tokens, _outer) = (cluster, tokens, outer);
        (Root, Origin) = continued is null ? (this, origin) : (continued.Root, continued.Origin);
    }

    /// <inheritdoc cref="SessionTokens.RouterName"/>
    internal string? RouterName => _tokens.RouterName;

    /// <summary>The session that this one continues, through as many as there are; itself when it continues none.</summary>
    internal DatabaseSession Root { get; }

    /// <summary>Made at the first use: most sessions, as of web requests for files, never have any.</summary>
    internal SessionState State => Volatile.Read(ref Root._state) ?? Root.CreateState();

    /// <summary>What the session began from, if that is more than nothing or a token.</summary>
    internal SessionOrigin? Origin { get; }

    /// <summary>Whether the session knows what its origin does not: it did something, or was given a token since.</summary>
    internal bool HasNews => Volatile.Read(ref Root._state) is { HasNews: true };

    /// <summary>Whether the session opened a connection that may write.</summary>
    internal bool HasWritten => Volatile.Read(ref Root._state) is { HasWritten: true };

    /// <summary>What another process needs to go on from here: a short text, safe in a URL, a header or a cookie; empty when the session has neither written nor read.</summary>
    /// <remarks>
    /// When the position of its last write or read is not known yet, this asks the primary for it: one round trip. Where nobody answers it gives
    /// up after a few probe time-outs, and whoever goes on with the token must ask. Works after <see cref="Dispose"/> as well.
    /// </remarks>
    /// <param name="cancellationToken">Cancels asking.</param>
    public ValueTask<string> GetTokenAsync(CancellationToken cancellationToken = default) =>
        Root._state is null && Origin is null ? new ValueTask<string>("") : _tokens.EncodeAsync(State, cancellationToken);

    /// <inheritdoc cref="GetTokenAsync"/>
    /// <remarks>Like <see cref="GetTokenAsync"/>, and holds a thread while it asks.</remarks>
    public string GetToken() => GetTokenAsync().AsTask().GetAwaiter().GetResult();

    /// <summary>
    /// Whether the session has written or seen what the cluster may no longer hold: the primary failed before it was replicated. It
    /// goes on from what the new primary has. Check what was written last before you build on it.
    /// </summary>
    /// <remarks>
    /// Without synchronous replication this is true also where nothing was lost but that cannot be told: the primary failed before the position of the last write
    /// was learnt. With it, commits that were acknowledged survive the promotion of a synchronous standby, and only a proven loss is reported.
    /// </remarks>
    public bool HasLostHistory => Volatile.Read(ref Root._state) is { HasLostHistory: true };

    /// <summary>The token, if it says more than what the session began with; else empty.</summary>
    internal ValueTask<string> GetNewsAsync(CancellationToken cancellationToken) => _tokens.EncodeAsync(State, cancellationToken, isNewsOnly: true);

    /// <summary>From now on the session's reads also see what the token's session had written and read. Of two positions the later counts.</summary>
    /// <param name="token">What <see cref="GetTokenAsync"/> gave. <see langword="null"/>, empty, damaged, forged and foreign ones are ignored and counted.</param>
    public void Merge(string? token)
    {
        if (!string.IsNullOrEmpty(token)) _tokens.Merge(token, State);
    }

    /// <summary>
    /// Makes this session ambient for the calling code and all that it starts, until what is returned is disposed: for a session of
    /// <see cref="DatabaseRouter.CreateSession"/>, where code can't be given the session.
    /// </summary>
    /// <remarks>What is ambient in an async iterator ends at its next <c>yield</c>. There, enter the session again after each one.</remarks>
    /// <returns>To be disposed by the code that called this, before it returns or yields.</returns>
    /// <exception cref="ObjectDisposedException">The session has ended.</exception>
    public IDisposable Enter()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return s_ambient.Value = new DatabaseSession(_cluster, _tokens, Innermost(null), this, null);
    }

    /// <summary>Ends the session. Operations that are given it afterwards throw <see cref="ObjectDisposedException"/>.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        if (ReferenceEquals(s_ambient.Value, this)) s_ambient.Value = _outer;
    }

    /// <summary>The session that covers the calling code, if any does.</summary>
    /// <param name="cluster">The router of the cluster's own database: sessions are common to all databases.</param>
    internal static DatabaseSession? Ambient(object cluster) => Innermost(cluster);

    /// <summary>The innermost session that has not ended, of one router or of any.</summary>
    private static DatabaseSession? Innermost(object? cluster)
    {
        var session = s_ambient.Value;
        while (session is not null && (session._isDisposed || (cluster is not null && session._cluster != cluster))) session = session._outer;
        return session;
    }

    internal static DatabaseSession Begin(object cluster, SessionTokens tokens, SessionOrigin? origin)
    {
        var continued = Ambient(cluster);
        // Outer ones that ended are skipped, or chains would grow in code that outlived them.
        var session = s_ambient.Value = new DatabaseSession(cluster, tokens, Innermost(null), continued, origin);
        if (continued is null || origin is null) return session;
        foreach (var token in origin.ReadTokens()) session.Merge(token);
        return session;
    }

    internal static DatabaseSession Create(object cluster, SessionTokens tokens) => new(cluster, tokens, null, null, null);

    internal void ThrowIfNotOf(object cluster)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (_cluster != cluster) throw new ArgumentException("The session belongs to another router.");
    }

    private SessionState CreateState()
    {
        if (Origin is null) return Interlocked.CompareExchange(ref _state, _tokens.NewState(), null) ?? _state;
        // A token is read once: a bad one must not count twice.
        lock (Origin) return _state ??= _tokens.NewState(Origin);
    }
}
