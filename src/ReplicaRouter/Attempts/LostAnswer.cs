using Npgsql;

namespace ReplicaRouter.Attempts;

/// <summary>What an error tells of whether something that was sent to be committed was committed.</summary>
internal static class LostAnswer
{
    /// <summary>Whether an error that broke the connection under a command leaves open what became of the command.</summary>
    public static bool IsLost(Exception exception)
    {
        if (exception is not PostgresException server) return exception is NpgsqlException;
        // Poolers answer for a server that they have lost.
        return server is { SqlState: PostgresErrorCodes.CrashShutdown, InvariantSeverity: not "ERROR" } || FailureClassifier.Classify(server, FailureSite.BrokenConnection) is FailureKind.Unreachable or FailureKind.Timeout;
    }

    /// <summary>Whether an error that COMMIT met says that it rolled back, or was never sent. Anything else leaves the outcome open.</summary>
    public static bool SaysRolledBack(Exception exception) => exception switch
    {
        // Poolers answer for a server that they have lost: 08xxx, and 40003 says itself that it does not know.
        PostgresException { SqlState: PostgresErrorCodes.StatementCompletionUnknown } => false,
        PostgresException postgres => postgres.InvariantSeverity == "ERROR" && !postgres.SqlState.StartsWith("08", StringComparison.Ordinal),
        InvalidOperationException or NpgsqlOperationInProgressException => true,
        _ => false,
    };
}
