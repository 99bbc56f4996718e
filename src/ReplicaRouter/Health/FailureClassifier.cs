using System.Data.Common;
using System.Net.Sockets;
using System.Security.Authentication;
using Npgsql;

namespace ReplicaRouter.Health;

/// <summary>Decides from an exception and where it occurred whether, and how, the host failed. Errors of statements say nothing about the host.</summary>
/// <remarks>Source: PostgreSQL manual, appendix "PostgreSQL Error Codes".</remarks>
internal static class FailureClassifier
{
    public const string IdleSessionTimeout = "57P05";

    /// <summary>Describes what an error says about the host, or about a further database of the cluster that the connection led to.</summary>
    public static HostFailure Describe(Exception exception, HostConfiguration host, Database? database = null, FailureSite site = FailureSite.Opening) =>
        new(Classify(exception, site), Message(exception, host, database));

    public static FailureKind Classify(Exception exception, FailureSite site) =>
        site == FailureSite.OpenConnection ? OfStatement(exception) : OfConnection(exception, site);

    /// <summary>Classifies an error on a connection that stayed open, or of a statement. It says nothing about the host's health.</summary>
    private static FailureKind OfStatement(Exception exception) => exception switch
    {
        PostgresException { SqlState: PostgresErrorCodes.ReadOnlySqlTransaction } => FailureKind.ReadOnly,
        // A primary's serialization failures and deadlocks have the same codes, but are the caller's.
        PostgresException { SqlState: PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected } e when IsConflict(e) =>
            FailureKind.RecoveryConflict,
        HostLostException => FailureKind.Hung,
        NpgsqlException { InnerException: TimeoutException } e when !IsPoolExhausted(e) => FailureKind.Timeout,
        _ => FailureKind.None,
    };

    private static FailureKind OfConnection(Exception exception, FailureSite site) => Cause(exception) switch
    {
        // No connection was tried. The state of each host says more.
        _ when exception is NoEligibleHostException or DatabaseRouterConfigurationException => FailureKind.None,
        PostgresException e => OfConnection(e, site),
        NoPasswordException => FailureKind.NoPassword,
        HostLostException => FailureKind.Hung,
        // Npgsql also throws this for an exhausted pool, which is our own doing and says nothing about the host.
        TimeoutException => IsPoolExhausted(exception) ? FailureKind.None : FailureKind.Timeout,
        CertificateRefusedException or AuthenticationException => FailureKind.Misconfigured,
        _ when site == FailureSite.Opening && CertificateFiles.IsCause(exception) => FailureKind.Misconfigured,
        SocketException e => Classify(e),
        IOException { InnerException: SocketException e } => Classify(e),
        IOException => FailureKind.Unreachable,
        // "Exception while reading from stream", "The connection is closed": the connection is gone, and perhaps the server.
        _ when exception is NpgsqlException { IsTransient: true } => FailureKind.Unreachable,
        // Npgsql has no specific type for a server that offers no TLS, or wants a password that we don't have.
        _ when exception is NpgsqlException { InnerException: null } e && IsLoginRefusal(e) => FailureKind.Misconfigured,
        _ => FailureKind.None,
    };

    /// <summary>Returns the inner exception if Npgsql's own adds nothing.</summary>
    private static Exception Cause(Exception exception) =>
        exception is NpgsqlException and not PostgresException and not CertificateRefusedException && exception.InnerException is { } inner ? inner : exception;

    /// <summary>
    /// Classifies the server's error for a connection that could not be opened, or broke. On a broken connection, an ERROR was raised by a statement, with any code that
    /// its author or another server chose: that Npgsql closes connections on errors of class 53, 57P0x, 58 and XX proves nothing.
    /// </summary>
    private static FailureKind OfConnection(PostgresException e, FailureSite site)
    {
        if (site == FailureSite.BrokenConnection && !IsFatal(e)) return IsLostByPooler(e) ? FailureKind.Unreachable : OfStatement(e);
        return e.SqlState switch
        {
            PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.DatabaseDropped or IdleSessionTimeout => FailureKind.Terminated,
            PostgresErrorCodes.ProtocolViolation when IsFatal(e) => ClassifyOfPooler(e.MessageText),
            PostgresErrorCodes.CannotConnectNow => FailureKind.Restarting,
            PostgresErrorCodes.TooManyConnections => FailureKind.Full,
            // A query that names another database also gets 3D000; it is FATAL only at login.
            PostgresErrorCodes.InvalidCatalogName when IsFatal(e) => FailureKind.Misconfigured,
            // 28000, 28P01: refused by pg_hba.conf, or for the password.
            { } state when state.StartsWith("28", StringComparison.Ordinal) && IsFatal(e) => FailureKind.Misconfigured,
            _ => IsLostByPooler(e) ? FailureKind.Unreachable : OfStatement(e),
        };
    }

    /// <summary>Whether a pooler lost its server: poolers then send class 08 and close the connection. 08P01 as an ERROR is about what the caller sent.</summary>
    private static bool IsLostByPooler(PostgresException e) =>
        e.SqlState.StartsWith("08", StringComparison.Ordinal) && e.SqlState != PostgresErrorCodes.ProtocolViolation;

    /// <summary>Classifies PgBouncer's own errors by text: all have one code, from "server conn crashed?" to "server login has been failing, try again later".</summary>
    private static FailureKind ClassifyOfPooler(string message) => message switch
    {
        // Before 1.20, PgBouncer accepts only a few startup parameters.
        _ when message.Contains("startup parameter", StringComparison.Ordinal) || message.Contains("no such database", StringComparison.Ordinal) => FailureKind.Misconfigured,
        _ when message.Contains("no more connections allowed", StringComparison.Ordinal) => FailureKind.Full,
        // PgBouncer has no server to send anything to.
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

    private static bool IsFatal(PostgresException e) => e.InvariantSeverity is "FATAL" or "PANIC";

    /// <summary>Whether it is a recovery conflict, by the server function that raised it: the text is in the language of lc_messages.</summary>
    private static bool IsConflict(PostgresException e) =>
        e.Routine is { } routine && (routine == "ProcessInterrupts" || routine.StartsWith("ProcessRecoveryConflict", StringComparison.Ordinal));

    public static bool IsPoolExhausted(Exception e) => e.Message.Contains("pool has been exhausted", StringComparison.Ordinal);

    private static bool IsLoginRefusal(NpgsqlException e) => e.Message.Contains("SSL", StringComparison.Ordinal)
        || e.Message.Contains("password", StringComparison.OrdinalIgnoreCase) || IsAuthenticationRefusal(e);

    /// <summary>Whether our <c>Require Auth</c> setting refuses the server's authentication method.</summary>
    private static bool IsAuthenticationRefusal(Exception e) => e.Message.Contains("authentication method is not allowed", StringComparison.Ordinal);

    private static string Message(Exception exception, HostConfiguration host, Database? further)
    {
        if (CertificateFiles.IsCause(exception)) return CertificateFiles.Describe(exception, host);
        var cause = Cause(exception);
        var (user, database) = (host.Connection.Username, host.Connection.Database);
        return cause switch
        {
            PostgresException { SqlState: PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification } e =>
                $"{host.Endpoint} refuses user '{user}': {PlainText.Of(e.MessageText)} ({e.SqlState}). Correct the user or the password in {host.Source}.",
            PostgresException { SqlState: PostgresErrorCodes.InvalidCatalogName } e when further is not null =>
                $"{host.Endpoint} has no database '{further.Name}' ({e.SqlState}). Create it, or correct the name passed to ForDatabase.",
            PostgresException { SqlState: PostgresErrorCodes.InvalidCatalogName } e =>
                $"{host.Endpoint} has no database '{database}' ({e.SqlState}). Correct the database in {host.Source}.",
            PostgresException { SqlState: PostgresErrorCodes.ProtocolViolation } e when e.MessageText.Contains("startup parameter", StringComparison.Ordinal) =>
                $"{host.Endpoint} is a pooler that refuses one of our settings: {PlainText.Of(e.MessageText)}. Add 'ignore_startup_parameters = options' to its configuration.",
            // Npgsql redacts the detail unless Include Error Detail is set, as it is for probes.
            PostgresException { SqlState: PostgresErrorCodes.CannotConnectNow, Detail: { } detail } e when !detail.StartsWith("Detail redacted", StringComparison.Ordinal) =>
                $"{host.Endpoint}: {PlainText.Of(e.MessageText)}: {PlainText.Of(detail)} ({e.SqlState})",
            PostgresException e => $"{host.Endpoint}: {PlainText.Of(e.MessageText)} ({e.SqlState})",
            CertificateRefusedException => cause.Message,
            SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData } =>
                $"the host name '{host.Connection.Host}' does not resolve. Correct the host in {host.Source}.",
            SocketException { SocketErrorCode: SocketError.ConnectionRefused } => $"{host.Endpoint} refuses connections: no server listens there.",
            AuthenticationException e when e.Message.Contains("RemoteCertificate", StringComparison.Ordinal) =>
                $"{host.Endpoint}: TLS failed: the server's certificate has expired, is for another host name, or is not signed by a trusted authority. Correct the SSL settings in {host.Source}, or the certificate.",
            AuthenticationException e => $"{host.Endpoint}: TLS failed: {PlainText.Of(e.Message)} Correct the SSL settings in {host.Source}.",
            TimeoutException => $"{host.Endpoint} did not answer in time.",
            NpgsqlException e when IsAuthenticationRefusal(e) => $"{host.Endpoint} offers no allowed authentication method: {PlainText.Of(e.Message)} {LoginFix(host)}",
            NpgsqlException e when e.Message.Contains("No SSL enabled connection", StringComparison.Ordinal) =>
                $"{host.Endpoint} offers no TLS. Correct SSL Mode (sslmode) in {host.Source}, or turn ssl on at the server.",
            DbException or IOException or SocketException => $"{host.Endpoint}: {PlainText.Of(cause.Message)}",
            // Npgsql can fail in any way on bytes that are not the protocol: a server that can't start a process sends text that reads as a message of 1.6 GB.
            _ => $"a login to {host.Endpoint} failed with {cause.GetType().Name}: it may not be a PostgreSQL server, or the server can't start a process.",
        };
    }

    private static string LoginFix(HostConfiguration host) => host.IsDiscovered
        ? "A discovered host gets the password by SCRAM only, unless TLS proves the server (sslmode=verify-full and sslrootcert) or the primary's connection string sets Require Auth."
        : $"Correct Require Auth in {host.Source}, or the method in the server's pg_hba.conf.";
}
