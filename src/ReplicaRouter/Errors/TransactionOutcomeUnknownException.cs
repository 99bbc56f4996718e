using Npgsql;

namespace ReplicaRouter;

/// <summary>
/// The connection was lost after a COMMIT, or a command that commits by itself, was sent and before its answer came: it may or may not have been committed.
/// </summary>
/// <remarks>
/// Never transient, and never retried by the router: running the work again could apply it twice. <see cref="ResolveAsync"/> may tell; else check by
/// your own data.
/// </remarks>
public class TransactionOutcomeUnknownException : NpgsqlException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="host">The host to which it was sent.</param>
    /// <param name="innerException">What ended the connection.</param>
    public TransactionOutcomeUnknownException(string host, Exception innerException)
        : base($"The connection to '{host}' was lost before it had answered: what was sent may or may not have been committed. Look before you repeat it.", innerException) => Host = host;

    /// <summary>The host to which it was sent.</summary>
    public string Host { get; }

    /// <inheritdoc />
    public override bool IsTransient => false;

    internal Func<CancellationToken, Task<TransactionOutcome>>? Resolve { get; init; }

    /// <summary>
    /// Asks the current primary what became of the transaction. Waits for a primary as any write does, and for as long as the transaction is still in progress.
    /// </summary>
    /// <returns>
    /// <see cref="TransactionOutcome.Unknown"/> where it can't be told: the work did not run in <c>WithTransactionAsync</c> or, with Entity Framework, in a strategy that
    /// retries; the transaction is too old; more than one failover lies between; or the server crashed and came back, with a commit that may be another's.
    /// </returns>
    /// <param name="cancellationToken">Ends it; without one it may wait for as long as a COMMIT waits for a synchronous standby.</param>
    /// <exception cref="NoEligibleHostException">There is no primary to ask.</exception>
    /// <exception cref="NpgsqlException">The primary failed while it was asked. Ask again.</exception>
    public Task<TransactionOutcome> ResolveAsync(CancellationToken cancellationToken = default) =>
        Resolve is { } resolve ? resolve(cancellationToken) : Task.FromResult(TransactionOutcome.Unknown);
}
