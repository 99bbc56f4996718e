using System.Net.Sockets;
using System.Security.Authentication;
using Npgsql;

namespace ReplicaRouter;

/// <summary>Tells from an exception whether the host failed, and how. Errors of the query itself are none of the host's.</summary>
/// <remarks>Source: PostgreSQL manual, appendix "PostgreSQL Error Codes".</remarks>
internal static class FailureClassifier
{
    private const string IdleSessionTimeout = "57P05";

    public static HostFailure Describe(Exception exception, HostConfiguration host) =>
        new(Classify(exception), Message(exception, host));

    public static FailureKind Classify(Exception exception) => exception switch
    {
        PostgresException postgres => Classify(postgres),
        NoPasswordException or NpgsqlException { InnerException: NoPasswordException } => FailureKind.NoPassword,
        HostLostException => FailureKind.Hung,
        // Npgsql throws this for an exhausted pool too; that is our own doing and says nothing of the host.
        NpgsqlException { InnerException: TimeoutException } e when IsPoolExhausted(e) => FailureKind.None,
        TimeoutException or NpgsqlException { InnerException: TimeoutException } => FailureKind.Timeout,
        NpgsqlException { InnerException: PostgresException inner } => Classify(inner),
        AuthenticationException or NpgsqlException { InnerException: AuthenticationException } => FailureKind.Misconfigured,
        SocketException socket => Classify(socket),
        NpgsqlException { InnerException: SocketException inner } => Classify(inner),
        NpgsqlException { InnerException: IOException { InnerException: SocketException inner } } => Classify(inner),
        IOException or NpgsqlException { InnerException: IOException } => FailureKind.Unreachable,
        // "Exception while reading from stream", "The connection is closed": the connection is gone, the server may be.
        NpgsqlException { IsTransient: true } => FailureKind.Unreachable,
        // Npgsql has no other type for a server that offers no TLS, or wants a password that we don't have.
        NpgsqlException { InnerException: null } e when IsLoginRefusal(e) => FailureKind.Misconfigured,
        _ => FailureKind.None,
    };

    private static FailureKind Classify(PostgresException e) => e.SqlState switch
    {
        PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown => FailureKind.Terminated,
        PostgresErrorCodes.DatabaseDropped or IdleSessionTimeout => FailureKind.Terminated,
        PostgresErrorCodes.ProtocolViolation when IsFatal(e) => ClassifyOfPooler(e.MessageText),
        // Poolers send class 08 for a server that they can't reach. As an ERROR, 08P01 is about what the caller sent.
        { } state when state.StartsWith("08", StringComparison.Ordinal) && state != PostgresErrorCodes.ProtocolViolation => FailureKind.Unreachable,
        PostgresErrorCodes.CannotConnectNow => FailureKind.Restarting,
        PostgresErrorCodes.TooManyConnections => FailureKind.Full,
        PostgresErrorCodes.ReadOnlySqlTransaction => FailureKind.ReadOnly,
        // 3D000 also answers a query on another database by name; only at login is it FATAL.
        PostgresErrorCodes.InvalidCatalogName when IsFatal(e) => FailureKind.Misconfigured,
        // 28000, 28P01: refused by pg_hba.conf, or by the password.
        { } state when state.StartsWith("28", StringComparison.Ordinal) && IsFatal(e) => FailureKind.Misconfigured,
        // A serialization failure or deadlock of a primary has the same codes, and belongs to the caller.
        PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected when IsConflict(e) => FailureKind.RecoveryConflict,
        _ => FailureKind.None,
    };

    /// <summary>PgBouncer has one code for all that it says itself: "server conn crashed?", "server login has been failing, try again later".</summary>
    private static FailureKind ClassifyOfPooler(string message) => message switch
    {
        // Before 1.20, which knows few settings of a startup packet.
        _ when message.Contains("startup parameter", StringComparison.Ordinal) => FailureKind.Misconfigured,
        _ when message.Contains("no such database", StringComparison.Ordinal) => FailureKind.Misconfigured,
        _ when message.Contains("no more connections allowed", StringComparison.Ordinal) => FailureKind.Full,
        // It has no server to send anything to.
        _ when message.Contains("server login", StringComparison.Ordinal) => FailureKind.Restarting,
        _ when message.Contains("timeout", StringComparison.Ordinal) => FailureKind.Timeout,
        _ => FailureKind.Unreachable,
    };

    private static FailureKind Classify(SocketException e) => e.SocketErrorCode switch
    {
        SocketError.HostNotFound or SocketError.NoData => FailureKind.NameUnknown,
        SocketError.TimedOut => FailureKind.Timeout,
        _ => FailureKind.Unreachable,
    };

    private static bool IsFatal(PostgresException e) => e.InvariantSeverity is "FATAL";

    /// <summary>Told by the server's own function that raised it: the words are in the language of lc_messages.</summary>
    private static bool IsConflict(PostgresException e) =>
        e.Routine is { } routine && (routine == "ProcessInterrupts" || routine.StartsWith("ProcessRecoveryConflict", StringComparison.Ordinal));

    /// <summary>Whether all connections of our own pool are in use: that says nothing of the host.</summary>
    public static bool IsPoolExhausted(Exception e) => e.Message.Contains("pool has been exhausted", StringComparison.Ordinal);

    private static bool IsLoginRefusal(NpgsqlException e) => e.Message.Contains("SSL", StringComparison.Ordinal)
        || e.Message.Contains("password", StringComparison.OrdinalIgnoreCase);

    private static string Message(Exception exception, HostConfiguration host)
    {
        var cause = exception is NpgsqlException and not PostgresException && exception.InnerException is { } inner ? inner : exception;
        var (user, database) = (host.Connection.Username, host.Connection.Database);
        return cause switch
        {
            PostgresException { SqlState: PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification } e =>
                $"{host.Endpoint} refuses user '{user}': {e.MessageText} ({e.SqlState}). Correct the user or the password in {host.Source}.",
            PostgresException { SqlState: PostgresErrorCodes.InvalidCatalogName } e =>
                $"{host.Endpoint} has no database '{database}' ({e.SqlState}). Correct the database in {host.Source}.",
            PostgresException { SqlState: PostgresErrorCodes.ProtocolViolation } e when e.MessageText.Contains("startup parameter", StringComparison.Ordinal) =>
                $"{host.Endpoint} is a pooler that refuses a setting of ours: {e.MessageText}. Add 'ignore_startup_parameters = options' to its configuration.",
            PostgresException e => $"{host.Endpoint}: {e.MessageText} ({e.SqlState})",
            SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData } =>
                $"the host name '{host.Connection.Host}' is not known. Correct the host in {host.Source}.",
            SocketException { SocketErrorCode: SocketError.ConnectionRefused } => $"{host.Endpoint} refuses connections: no server listens there.",
            AuthenticationException e => $"{host.Endpoint}: TLS failed: {e.Message} Correct the SSL settings in {host.Source}.",
            TimeoutException => $"{host.Endpoint} did not answer in time.",
            _ => $"{host.Endpoint}: {cause.Message}",
        };
    }
}
