using Npgsql;

namespace ReplicaRouter;

/// <summary>
/// The connection was lost after a COMMIT, or a command that commits implicitly, was sent and before its answer. The work may or may not have been committed.
/// </summary>
/// <remarks>
/// Never transient, and never retried by the router: a retry could apply the work twice. <see cref="ResolveAsync"/> can often determine the outcome; otherwise
/// check your own data.
/// </remarks>
public class TransactionOutcomeUnknownException : NpgsqlException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="host">The host that the command was sent to.</param>
    /// <param name="innerException">The failure of the connection.</param>
    public TransactionOutcomeUnknownException(string host, Exception innerException)
        : base($"The connection to '{host}' was lost before it answered. The work may or may not have been committed: check before you repeat it.", innerException) => Host = host;

    /// <summary>The host that the command was sent to.</summary>
    public string Host { get; }

    /// <inheritdoc />
    public override bool IsTransient => false;

    internal Func<CancellationToken, Task<TransactionOutcome>>? Resolve { get; init; }

    /// <summary>
    /// Queries the current primary for the outcome of the transaction. Waits for a primary like a write, and for as long as the transaction is in progress.
    /// </summary>
    /// <returns>
    /// The outcome; <see cref="TransactionOutcome.Unknown"/> if the work did not run in <c>WithTransactionAsync</c> or, with Entity Framework, in a retrying execution
    /// strategy; if the transaction is too old; if more than one failover has happened since; or if the server crashed and restarted, and the commit found may be another
    /// transaction's.
    /// </returns>
    /// <param name="cancellationToken">Cancels the call. Without it, the call can wait as long as a COMMIT waits for a synchronous standby.</param>
    /// <exception cref="NoEligibleHostException">There is no primary to query.</exception>
    /// <exception cref="NpgsqlException">The primary failed during the query. Call again.</exception>
    public Task<TransactionOutcome> ResolveAsync(CancellationToken cancellationToken = default) =>
        Resolve is { } resolve ? resolve(cancellationToken) : Task.FromResult(TransactionOutcome.Unknown);
}
