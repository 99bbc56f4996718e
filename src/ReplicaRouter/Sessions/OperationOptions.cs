using System.Collections.Immutable;
using System.Data;

namespace ReplicaRouter;

/// <summary>Options of one call. What is not set follows the route's settings. An instance can be reused for any number of calls.</summary>
public sealed record OperationOptions
{
    internal static readonly OperationOptions None = new();

    /// <summary>Replication lag above which a replica does not serve this call.</summary>
    /// <value>Above zero; <see langword="null"/> uses the route's limit, 5 s by default.</value>
    public TimeSpan? MaxLag { get; init; }

    /// <summary>What this call may miss.</summary>
    /// <value><see langword="null"/> uses the route's setting, <see cref="ReplicaRouter.Consistency.Session"/> by default.</value>
    public Consistency? Consistency { get; init; }

    /// <summary>The session of this call, in place of the ambient one.</summary>
    /// <exception cref="ObjectDisposedException">Thrown by the call if the session has ended.</exception>
    public DatabaseSession? Session { get; init; }

    /// <summary>A token from <see cref="DatabaseSession.GetTokenAsync"/>: the call, and its own session from then on, see all that the token's session wrote or read.</summary>
    /// <value><see langword="null"/> or empty for none. A damaged, forged or foreign token is ignored and counted.</value>
    public string? SessionToken { get; init; }

    /// <summary>Labels that a replica needs to serve this call: all of them. The primary needs none.</summary>
    public ImmutableArray<string> Labels { get; init; }

    /// <summary>Time for the whole operation: choosing, opening, retries and the work itself.</summary>
    /// <value>Above zero; <see langword="null"/> sets no limit beyond the route's own time-outs.</value>
    /// <remarks>
    /// An asynchronous call ends at its deadline and cancels its work: <c>ExecuteAsync</c> and <c>WithTransactionAsync</c> wait at most one more second for the
    /// work to end. A synchronous call (<c>Execute</c>, <c>OpenConnection</c>) waits for a host and for a connection until its deadline, and does not retry after it. The
    /// deadline can't interrupt a login, which ends by the route's <see cref="DatabaseRouteOptions.ConnectTimeout"/>, or the work of <c>Execute</c>: its commands end by
    /// their own time-outs, and a late result is returned.
    /// </remarks>
    public TimeSpan? Deadline { get; init; }

    /// <summary>
    /// Whether <c>ExecuteAsync</c> can retry the work on another host when the host, not the query, failed, and <c>WithTransactionAsync</c> can retry it after a
    /// serialization failure or deadlock.
    /// </summary>
    /// <value>
    /// <see langword="null"/> means yes. Work on a writable route is retried only if it provably did nothing: its connection could not be opened, or the server
    /// refused its very first command. Use <see langword="false"/> for a command that commits several times, such as CALL of a procedure with COMMIT.
    /// </value>
    public bool? AllowRetry { get; init; }

    /// <summary>Whether a slow read gets a hedged attempt on another replica (<see cref="DatabaseRouteOptions.AllowHedging"/>).</summary>
    /// <value><see langword="null"/> uses the route's setting, no by default.</value>
    public bool? AllowHedging { get; init; }

    /// <summary>The isolation level of <c>WithTransactionAsync</c>. Other calls begin no transaction and ignore it.</summary>
    /// <value>Default <see cref="IsolationLevel.Unspecified"/>: the server's <c>default_transaction_isolation</c>.</value>
    public IsolationLevel IsolationLevel { get; init; } = IsolationLevel.Unspecified;
}
