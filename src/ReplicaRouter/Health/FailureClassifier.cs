using System.Data.Common;
using System.Net.Sockets;
using System.Security.Authentication;
using Npgsql;

namespace ReplicaRouter.Health;

/// <summary>Tells from an exception, and from where it was met, whether the host failed, and how. Errors of statements say nothing of it.</summary>
/// <remarks>Source: PostgreSQL manual, appendix "PostgreSQL Error Codes".</remarks>
internal static class FailureClassifier
{
    public const string IdleSessionTimeout = "57P05";

    /// <summary>What an error says of the host, and of the further database of the cluster that its connection was to; null for the one of the connection string.</summary>
    public static HostFailure Describe(Exception exception, HostConfiguration host, Database? database = null, FailureSite site = FailureSite.Opening) =>
        new(Classify(exception, site), Message(exception, host, database));

    public static FailureKind Classify(Exception exception, FailureSite site) =>
        site == FailureSite.OpenConnection ? OfStatement(exception) : OfConnection(exception, site);

    /// <summary>What a statement says of its host when its connection is still open: nothing about the host's health.</summary>
    private static FailureKind OfStatement(Exception exception) => exception switch
    {
        PostgresException postgres => OfStatement(postgres),
        HostLostException => FailureKind.Hung,
        NpgsqlException { InnerException: TimeoutException } e when !IsPoolExhausted(e) => FailureKind.Timeout,
        _ => FailureKind.None,
    };

    private static FailureKind OfStatement(PostgresException e) => e.SqlState switch
    {
        PostgresErrorCodes.ReadOnlySqlTransaction => FailureKind.ReadOnly,
        // A serialization failure or deadlock of a primary has the same codes, and belongs to the caller.
        PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected when IsConflict(e) => FailureKind.RecoveryConflict,
        _ => FailureKind.None,
    };

    private static FailureKind OfConnection(Exception exception, FailureSite site) => Cause(exception) switch
    {
        // No connection was tried: of each host its own state says more.
        _ when exception is NoEligibleHostException or DatabaseRouterConfigurationException => FailureKind.None,
        PostgresException e => OfConnection(e, site),
        NoPasswordException => FailureKind.NoPassword,
        HostLostException => FailureKind.Hung,
        // Npgsql throws this for an exhausted pool too; that is our own doing and says nothing of the host.
        TimeoutException => IsPoolExhausted(exception) ? FailureKind.None : FailureKind.Timeout,
        CertificateRefusedException or AuthenticationException => FailureKind.Misconfigured,
        _ when site == FailureSite.Opening && CertificateFiles.IsCause(exception) => FailureKind.Misconfigured,
        SocketException e => Classify(e),
        IOException { InnerException: SocketException e } => Classify(e),
        IOException => FailureKind.Unreachable,
        // "Exception while reading from stream", "The connection is closed": the connection is gone, the server may be.
        _ when exception is NpgsqlException { IsTransient: true } => FailureKind.Unreachable,
        // Npgsql has no other type for a server that offers no TLS, or wants a password that we don't have.
        _ when exception is NpgsqlException { InnerException: null } e && IsLoginRefusal(e) => FailureKind.Misconfigured,
        _ => FailureKind.None,
    };

    /// <summary>What Npgsql met, where it says no more itself.</summary>
    private static Exception Cause(Exception exception) =>
        exception is NpgsqlException and not PostgresException and not CertificateRefusedException && exception.InnerException is { } inner ? inner : exception;

    /// <summary>
    /// What the server said when a connection could not be opened, or broke. As an ERROR a statement raised it, with whatever code its author or another server
    /// chose: that Npgsql gives up connections on errors of class 53, 57P0x, 58 and XX proves nothing.
    /// </summary>
    private static FailureKind OfConnection(PostgresException e, FailureSite site)
    {
        if (site == FailureSite.BrokenConnection && !IsFatal(e)) return IsLostByPooler(e) ? FailureKind.Unreachable : OfStatement(e);
        return e.SqlState switch
        {
            PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown => FailureKind.Terminated,
            PostgresErrorCodes.DatabaseDropped or IdleSessionTimeout => FailureKind.Terminated,
            PostgresErrorCodes.ProtocolViolation when IsFatal(e) => ClassifyOfPooler(e.MessageText),
            PostgresErrorCodes.CannotConnectNow => FailureKind.Restarting,
            PostgresErrorCodes.TooManyConnections => FailureKind.Full,
            // 3D000 also answers a query on another database by name; only at login is it FATAL.
            PostgresErrorCodes.InvalidCatalogName when IsFatal(e) => FailureKind.Misconfigured,
            // 28000, 28P01: refused by pg_hba.conf, or by the password.
            { } state when state.StartsWith("28", StringComparison.Ordinal) && IsFatal(e) => FailureKind.Misconfigured,
            _ => IsLostByPooler(e) ? FailureKind.Unreachable : OfStatement(e),
        };
    }

    /// <summary>Poolers send class 08 for a server that they can't reach, and close the connection. 08P01 as an ERROR is about what the caller sent.</summary>
    private static bool IsLostByPooler(PostgresException e) =>
        e.SqlState.StartsWith("08", StringComparison.Ordinal) && e.SqlState != PostgresErrorCodes.ProtocolViolation;

    /// <summary>PgBouncer has one code for all that it says itself: "server conn crashed?", "server login has been failing, try again later".</summary>
    private static FailureKind ClassifyOfPooler(string message) => message switch
    {
        // Before 1.20, which knows few settings of a startup packet.
        _ when message.Contains("startup parameter", StringComparison.Ordinal) || message.Contains("no such database", StringComparison.Ordinal) => FailureKind.Misconfigured,
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

    private static bool IsFatal(PostgresException e) => e.InvariantSeverity is "FATAL" or "PANIC";

    /// <summary>Told by the server's own function that raised it: the words are in the language of lc_messages.</summary>
    private static bool IsConflict(PostgresException e) =>
        e.Routine is { } routine && (routine == "ProcessInterrupts" || routine.StartsWith("ProcessRecoveryConflict", StringComparison.Ordinal));

    /// <summary>Whether all connections of our own pool are in use: that says nothing of the host.</summary>
    public static bool IsPoolExhausted(Exception e) => e.Message.Contains("pool has been exhausted", StringComparison.Ordinal);

    private static bool IsLoginRefusal(NpgsqlException e) => e.Message.Contains("SSL", StringComparison.Ordinal)
        || e.Message.Contains("password", StringComparison.OrdinalIgnoreCase) || IsAuthenticationRefusal(e);

    /// <summary>Whether we refuse how the server wants us to log in (<c>Require Auth</c>).</summary>
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
                $"{host.Endpoint} has no database '{further.Name}' ({e.SqlState}). Create it, or correct the name that ForDatabase is given.",
            PostgresException { SqlState: PostgresErrorCodes.InvalidCatalogName } e =>
                $"{host.Endpoint} has no database '{database}' ({e.SqlState}). Correct the database in {host.Source}.",
            PostgresException { SqlState: PostgresErrorCodes.ProtocolViolation } e when e.MessageText.Contains("startup parameter", StringComparison.Ordinal) =>
                $"{host.Endpoint} is a pooler that refuses a setting of ours: {PlainText.Of(e.MessageText)}. Add 'ignore_startup_parameters = options' to its configuration.",
            // Npgsql puts a text of its own in the place of a detail, unless Include Error Detail is set, as it is for probes.
            PostgresException { SqlState: PostgresErrorCodes.CannotConnectNow, Detail: { } detail } e when !detail.StartsWith("Detail redacted", StringComparison.Ordinal) =>
                $"{host.Endpoint}: {PlainText.Of(e.MessageText)}: {PlainText.Of(detail)} ({e.SqlState})",
            PostgresException e => $"{host.Endpoint}: {PlainText.Of(e.MessageText)} ({e.SqlState})",
            CertificateRefusedException => cause.Message,
            SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData } =>
                $"the host name '{host.Connection.Host}' is not known. Correct the host in {host.Source}.",
            SocketException { SocketErrorCode: SocketError.ConnectionRefused } => $"{host.Endpoint} refuses connections: no server listens there.",
            AuthenticationException e when e.Message.Contains("RemoteCertificate", StringComparison.Ordinal) =>
                $"{host.Endpoint}: TLS failed: the server's certificate has expired, is for another host name, or is signed by no authority that is trusted. Correct the SSL settings in {host.Source}, or the certificate.",
            AuthenticationException e => $"{host.Endpoint}: TLS failed: {PlainText.Of(e.Message)} Correct the SSL settings in {host.Source}.",
            TimeoutException => $"{host.Endpoint} did not answer in time.",
            NpgsqlException e when IsAuthenticationRefusal(e) => $"{host.Endpoint} offers no login that is allowed: {PlainText.Of(e.Message)} {LoginFix(host)}",
            NpgsqlException e when e.Message.Contains("No SSL enabled connection", StringComparison.Ordinal) =>
                $"{host.Endpoint} offers no TLS. Correct SSL Mode (sslmode) in {host.Source}, or turn ssl on at the server.",
            DbException or IOException or SocketException => $"{host.Endpoint}: {PlainText.Of(cause.Message)}",
            // As Npgsql reads what comes, it may fail in any way: a server that can't start a process sends what announces 1.6 GB.
            _ => $"a login to {host.Endpoint} failed with {cause.GetType().Name}: what answers may be no PostgreSQL server, or one that can't start a process.",
        };
    }

    private static string LoginFix(HostConfiguration host) => host.IsDiscovered
        ? "A host that a source names gets the password by SCRAM only, unless TLS proves the server (sslmode=verify-full and sslrootcert) or the primary's connection string states Require Auth."
        : $"Correct Require Auth in {host.Source}, or the method in the server's pg_hba.conf.";
}
