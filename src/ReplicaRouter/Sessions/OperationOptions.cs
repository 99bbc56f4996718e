using System.Collections.Immutable;
using System.Data;

namespace ReplicaRouter;

/// <summary>What one call asks for beyond its route's own settings. One that sets nothing asks for nothing. Can be kept and given to any number of calls.</summary>
public sealed record OperationOptions
{
    internal static readonly OperationOptions None = new();

    /// <summary>Replication lag above which a replica may not serve this call.</summary>
    /// <value>Above zero; <see langword="null"/> takes the route's own limit, 5 s by default.</value>
    public TimeSpan? MaxLag { get; init; }

    /// <summary>What this call may miss.</summary>
    /// <value><see langword="null"/> takes the route's own setting, <see cref="ReplicaRouter.Consistency.Session"/> by default.</value>
    public Consistency? Consistency { get; init; }

    /// <summary>The session that this call belongs to, where it is not the ambient one.</summary>
    /// <exception cref="ObjectDisposedException">Thrown by the call when the session has ended.</exception>
    public DatabaseSession? Session { get; init; }

    /// <summary>A token, as <see cref="DatabaseSession.GetTokenAsync"/> gives it: the call sees all that its session had written or read. The call's own session goes on from there, too.</summary>
    /// <value><see langword="null"/>, empty, damaged, forged and foreign ones are ignored and counted.</value>
    public string? SessionToken { get; init; }

    /// <summary>Labels that a replica must carry to serve this call, all of them. The primary needs none.</summary>
    public ImmutableArray<string> Labels { get; init; }

    /// <summary>Time for the whole operation: choosing, opening, retries and the work itself.</summary>
    /// <value>Above zero; <see langword="null"/> sets no limit beyond the route's own time-outs.</value>
    /// <remarks>
    /// An asynchronous call ends by its deadline, and its work is cancelled: <c>ExecuteAsync</c> and <c>WithTransactionAsync</c> wait a second more at most for the
    /// work to end. A synchronous call (<c>Execute</c>, <c>OpenConnection</c>) waits for a host and for a connection no longer than its deadline, and runs nothing again
    /// after it. What it can't cut short is a login, which ends by the route's <see cref="DatabaseRouteOptions.ConnectTimeout"/>, and the work of <c>Execute</c>: its commands
    /// end by their own time-outs, and a result that comes late is returned.
    /// </remarks>
    public TimeSpan? Deadline { get; init; }

    /// <summary>
    /// Whether <c>ExecuteAsync</c> may run the work again on another host when the host, not the query, failed it, and <c>WithTransactionAsync</c> after a serialization failure or deadlock.
    /// </summary>
    /// <value>
    /// <see langword="null"/> means yes. Work on a writable route is run again only when the server refused its very first command, so that provably
    /// nothing was done. Write <see langword="false"/> for a command that commits more than once by itself, as CALL of a procedure with COMMIT.
    /// </value>
    public bool? AllowRetry { get; init; }

    /// <summary>Whether a slow read is given a second run on another replica (<see cref="DatabaseRouteOptions.AllowHedging"/>).</summary>
    /// <value><see langword="null"/> takes the route's own setting, no by default.</value>
    public bool? AllowHedging { get; init; }

    /// <summary>The isolation level of <c>WithTransactionAsync</c>. Other calls begin no transaction, and ignore it.</summary>
    /// <value>By default <see cref="IsolationLevel.Unspecified"/>: the server's <c>default_transaction_isolation</c>.</value>
    public IsolationLevel IsolationLevel { get; init; } = IsolationLevel.Unspecified;
}
