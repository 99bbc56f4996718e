using Npgsql;

namespace ReplicaRouter;

/// <summary>The connection was lost after COMMIT was sent and before its answer came: the transaction may or may not have been committed.</summary>
/// <remarks>Never transient, and never retried by the router: running the work again could apply it twice. Check by your own data.</remarks>
public class TransactionOutcomeUnknownException : NpgsqlException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="host">The host to which COMMIT was sent.</param>
    /// <param name="innerException">The failure of the COMMIT.</param>
    public TransactionOutcomeUnknownException(string host, Exception innerException)
        : base($"The connection to '{host}' was lost while COMMIT was under way: the transaction may or may not have been committed. Look before you repeat it.", innerException) => Host = host;

    /// <summary>The host to which COMMIT was sent.</summary>
    public string Host { get; }

    /// <inheritdoc />
    public override bool IsTransient => false;
}
