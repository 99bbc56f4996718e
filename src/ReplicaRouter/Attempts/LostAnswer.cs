using Npgsql;

namespace ReplicaRouter.Attempts;

/// <summary>What an error shows about whether something that was sent has been committed.</summary>
internal static class LostAnswer
{
    /// <summary>Whether an error that broke the connection during a command leaves the command's outcome open.</summary>
    public static bool IsLost(Exception exception)
    {
        if (exception is not PostgresException server) return exception is NpgsqlException;
        return server is { SqlState: PostgresErrorCodes.CrashShutdown, InvariantSeverity: not "ERROR" } || FailureClassifier.Classify(server, FailureSite.BrokenConnection) is FailureKind.Unreachable or FailureKind.Timeout;
    }

    /// <summary>Whether an error of COMMIT says that it rolled back or was never sent. Anything else leaves the outcome open.</summary>
    public static bool SaysRolledBack(Exception exception) => exception switch
    {
        // Poolers answer with 08xxx for a server that they have lost. 40003 itself means an unknown outcome.
        PostgresException { SqlState: PostgresErrorCodes.StatementCompletionUnknown } => false,
        PostgresException postgres => postgres.InvariantSeverity == "ERROR" && !postgres.SqlState.StartsWith("08", StringComparison.Ordinal),
        InvalidOperationException or NpgsqlOperationInProgressException => true,
        _ => false,
    };
}
