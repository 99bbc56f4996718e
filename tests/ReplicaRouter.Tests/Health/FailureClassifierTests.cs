using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using Npgsql;

namespace ReplicaRouter.Tests.Health;

public class FailureClassifierTests
{
    private const string Login = "Host=db-1;Username=app;Database=shop";

    private sealed class Further() : Database("orders");

    private static PostgresException Server(string sqlState, string severity = "ERROR", string? routine = null) =>
        new("a message in any language", severity, severity, sqlState, routine: routine);

    /// <summary>
    /// The kind of a server's error while opening a connection, on a broken connection, and on an open one. Once a login has succeeded, only a FATAL error, or a pooler that has
    /// lost its server, shows the state of the host: a statement can raise any code as an ERROR, and Npgsql breaks the connection on some of them.
    /// </summary>
    [Theory]
    [Trait("Failure", "B7")]
    //                                         at opening                  on a broken connection      on an open one
    [InlineData("57P01", "FATAL", null, FailureKind.Terminated, FailureKind.Terminated, FailureKind.None)]
    [InlineData("57P02", "FATAL", null, FailureKind.Terminated, FailureKind.Terminated, FailureKind.None)]
    [InlineData("57P04", "FATAL", null, FailureKind.Terminated, FailureKind.Terminated, FailureKind.None)]
    [InlineData("57P05", "FATAL", null, FailureKind.Terminated, FailureKind.Terminated, FailureKind.None)]
    [InlineData("57P03", "FATAL", null, FailureKind.Restarting, FailureKind.Restarting, FailureKind.None)]
    [InlineData("53300", "FATAL", null, FailureKind.Full, FailureKind.Full, FailureKind.None)]
    [InlineData("28P01", "FATAL", null, FailureKind.Misconfigured, FailureKind.Misconfigured, FailureKind.None)]
    [InlineData("28000", "FATAL", null, FailureKind.Misconfigured, FailureKind.Misconfigured, FailureKind.None)]
    [InlineData("3D000", "FATAL", null, FailureKind.Misconfigured, FailureKind.Misconfigured, FailureKind.None)]
    [InlineData("08006", "FATAL", null, FailureKind.Unreachable, FailureKind.Unreachable, FailureKind.None)]
    [InlineData("08006", "ERROR", null, FailureKind.Unreachable, FailureKind.Unreachable, FailureKind.None)]
    [InlineData("08P01", "ERROR", null, FailureKind.None, FailureKind.None, FailureKind.None)]
    [InlineData("57P01", "PANIC", null, FailureKind.Terminated, FailureKind.Terminated, FailureKind.None)]
    // dblink and postgres_fdw pass on another server's errors, and RAISE can use any code.
    [InlineData("57P01", "ERROR", null, FailureKind.Terminated, FailureKind.None, FailureKind.None)]
    [InlineData("57P03", "ERROR", null, FailureKind.Restarting, FailureKind.None, FailureKind.None)]
    [InlineData("53300", "ERROR", null, FailureKind.Full, FailureKind.None, FailureKind.None)]
    [InlineData("28000", "ERROR", null, FailureKind.None, FailureKind.None, FailureKind.None)]
    [InlineData("3D000", "ERROR", null, FailureKind.None, FailureKind.None, FailureKind.None)]
    // Statement errors that still depend on the host.
    [InlineData("25006", "ERROR", null, FailureKind.ReadOnly, FailureKind.ReadOnly, FailureKind.ReadOnly)]
    [InlineData("40001", "ERROR", "ProcessInterrupts", FailureKind.RecoveryConflict, FailureKind.RecoveryConflict, FailureKind.RecoveryConflict)]
    [InlineData("40001", "FATAL", "ProcessRecoveryConflictInterrupt", FailureKind.RecoveryConflict, FailureKind.RecoveryConflict, FailureKind.RecoveryConflict)]
    [InlineData("40P01", "ERROR", "ProcessInterrupts", FailureKind.RecoveryConflict, FailureKind.RecoveryConflict, FailureKind.RecoveryConflict)]
    [InlineData("40001", "ERROR", "ExecUpdate", FailureKind.None, FailureKind.None, FailureKind.None)]
    [InlineData("40P01", "ERROR", "DeadLockReport", FailureKind.None, FailureKind.None, FailureKind.None)]
    [InlineData("57014", "ERROR", null, FailureKind.None, FailureKind.None, FailureKind.None)]
    [InlineData("53200", "ERROR", null, FailureKind.None, FailureKind.None, FailureKind.None)]
    [InlineData("58030", "ERROR", null, FailureKind.None, FailureKind.None, FailureKind.None)]
    [InlineData("XX000", "ERROR", null, FailureKind.None, FailureKind.None, FailureKind.None)]
    [InlineData("23505", "ERROR", null, FailureKind.None, FailureKind.None, FailureKind.None)]
    internal void Server_errors_are_classified_by_code_severity_and_site_S15_S16_S19(
        string sqlState, string severity, string? routine, FailureKind opening, FailureKind broken, FailureKind open)
    {
        var error = Server(sqlState, severity, routine);
        Assert.Equal(opening, FailureClassifier.Classify(error, FailureSite.Opening));
        Assert.Equal(broken, FailureClassifier.Classify(error, FailureSite.BrokenConnection));
        Assert.Equal(open, FailureClassifier.Classify(error, FailureSite.OpenConnection));
    }

    /// <summary>PgBouncer uses the code 08P01 for all its own errors; only the message distinguishes them.</summary>
    [Theory]
    [InlineData("FATAL", "server conn crashed?", FailureKind.Unreachable)]
    [InlineData("FATAL", "server login has been failing, try again later (server_login_retry)", FailureKind.Restarting)]
    [InlineData("FATAL", "unsupported startup parameter: options", FailureKind.Misconfigured)]
    [InlineData("FATAL", "no such database: app", FailureKind.Misconfigured)]
    [InlineData("FATAL", "no more connections allowed (max_client_conn)", FailureKind.Full)]
    [InlineData("FATAL", "query_wait_timeout", FailureKind.Timeout)]
    [InlineData("ERROR", "bind message supplies 1 parameters, but prepared statement requires 2", FailureKind.None)]
    internal void Pooler_errors_are_classified_by_message(string severity, string message, FailureKind kind) =>
        Assert.Equal(kind, FailureClassifier.Classify(new PostgresException(message, severity, severity, PostgresErrorCodes.ProtocolViolation), FailureSite.BrokenConnection));

    [Theory]
    [InlineData(SocketError.ConnectionRefused, FailureKind.Unreachable)]
    [InlineData(SocketError.ConnectionReset, FailureKind.Unreachable)]
    [InlineData(SocketError.TimedOut, FailureKind.Timeout)]
    [InlineData(SocketError.HostNotFound, FailureKind.NameUnknown)]
    [InlineData(SocketError.NoData, FailureKind.NameUnknown)]
    internal void Network_errors_are_classified_however_they_are_wrapped(SocketError error, FailureKind kind)
    {
        var socket = new SocketException((int)error);
        foreach (var exception in new Exception[] { socket, new NpgsqlException("Failed to connect", socket), new NpgsqlException("While reading", new IOException("read", socket)) })
        {
            Assert.Equal(kind, FailureClassifier.Classify(exception, FailureSite.Opening));
            Assert.Equal(kind, FailureClassifier.Classify(exception, FailureSite.BrokenConnection));
            // The connection is open, so the error comes from other I/O of the work.
            Assert.Equal(FailureKind.None, FailureClassifier.Classify(exception, FailureSite.OpenConnection));
        }
    }

    [Fact]
    public void An_exhausted_pool_and_the_callers_errors_are_not_failures_of_the_host_H25()
    {
        foreach (var site in Enum.GetValues<FailureSite>())
        {
            Assert.Equal(FailureKind.None, FailureClassifier.Classify(new NpgsqlException("The connection pool has been exhausted, either raise", new TimeoutException()), site));
            Assert.Equal(FailureKind.Timeout, FailureClassifier.Classify(new NpgsqlException("The operation has timed out", new TimeoutException()), site));
            Assert.Equal(FailureKind.None, FailureClassifier.Classify(new OperationCanceledException(), site));
            Assert.Equal(FailureKind.None, FailureClassifier.Classify(new InvalidOperationException(), site));
            Assert.Equal(FailureKind.None, FailureClassifier.Classify(new NoEligibleHostException("read", [], null), site));
        }
    }

    [Theory]
    [Trait("Failure", "B4")]
    [InlineData(typeof(OutOfMemoryException))]
    [InlineData(typeof(InvalidCastException))]
    public void An_unexpected_login_error_is_described_by_type_and_not_by_text(Type type)
    {
        var host = TestTopology.OptionsFor("primary");
        var message = FailureClassifier.Describe((Exception)Activator.CreateInstance(type, "text with a secret")!, RouterConfigurationBuilder.Build(host).Hosts[0]).Message;
        Assert.Contains($"10.0.0.1:5432 failed with {type.Name}", message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", message, StringComparison.Ordinal);
    }

    [Theory]
    [Trait("Failure", "C12")]
    [InlineData(true, typeof(FileNotFoundException), "Root Certificate (sslrootcert): there is no such file")]
    [InlineData(true, typeof(DirectoryNotFoundException), "Root Certificate (sslrootcert): there is no such file")]
    [InlineData(true, typeof(UnauthorizedAccessException), "Root Certificate (sslrootcert): this process has no permission to read the file")]
    [InlineData(true, typeof(CryptographicException), "Root Certificate (sslrootcert): the file holds no certificate")]
    [InlineData(false, typeof(FileNotFoundException), "SSL Certificate (sslcert): there is no such file")]
    [InlineData(false, typeof(UnauthorizedAccessException), "SSL Certificate (sslcert) or SSL Key (sslkey): this process has no permission to read the file")]
    [InlineData(false, typeof(CryptographicException), "SSL Certificate (sslcert) or SSL Key (sslkey): the files hold no certificate and key that belong together")]
    public void An_unusable_file_is_a_misconfiguration_and_its_path_is_not_repeated(bool isInHandshake, Type type, string words)
    {
        var cause = (Exception)Activator.CreateInstance(type, "Not usable: /no/such/s3cret.pem")!;
        var host = HostOf("Host=db-1;Root Certificate=/no/such/s3cret.pem;SSL Certificate=/no/such/s3cret.pem;SSL Key=/no/such/s3cret.pem");
        var failure = FailureClassifier.Describe(isInHandshake ? new NpgsqlException("Exception while performing SSL handshake", cause) : cause, host);
        Assert.Equal(FailureKind.Misconfigured, failure.Kind);
        Assert.Contains($"db-1:5432: {words}", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_message_for_a_server_without_TLS_names_the_setting_to_correct()
    {
        var refusal = new NpgsqlException("SSL connection requested. No SSL enabled connection from this host is configured.");
        Assert.Equal(
            "db-1:5432 offers no TLS. Correct SSL Mode (sslmode) in Host 'primary', or turn ssl on at the server.", FailureClassifier.Describe(refusal, HostOf("Host=db-1;SSL Mode=Require")).Message);
    }

    [Theory]
    [Trait("Failure", "D")]
    [InlineData("57P03", "Hot standby mode is disabled.", "the reason: Hot standby mode is disabled. (57P03)")]
    [InlineData("57P03", "Detail redacted as it may contain sensitive data.", "the reason (57P03)")]
    [InlineData("23505", "Key (email)=(s3cret@example.com) already exists.", "the reason (23505)")]
    public void Only_a_server_that_accepts_no_connections_has_its_detail_shown(string sqlState, string detail, string words) =>
        Assert.Equal($"db-1:5432: {words}", FailureClassifier.Describe(new PostgresException("the reason", "FATAL", "FATAL", sqlState, detail: detail), HostOf("Host=db-1")).Message);

    [Theory]
    [InlineData("28P01", "db-1:5432 refuses user 'app': the reason (28P01). Correct the user or the password in Host 'primary'.")]
    [InlineData("28000", "db-1:5432 refuses user 'app': the reason (28000). Correct the user or the password in Host 'primary'.")]
    [InlineData("3D000", "db-1:5432 has no database 'shop' (3D000). Correct the database in Host 'primary'.")]
    [InlineData("53300", "db-1:5432: the reason (53300)")]
    public void The_message_for_a_refused_login_names_what_to_correct(string sqlState, string message) =>
        Assert.Equal(message, FailureClassifier.Describe(new PostgresException("the reason", "FATAL", "FATAL", sqlState), HostOf(Login)).Message);

    [Fact]
    public void The_message_for_a_missing_further_database_names_that_one() => Assert.Equal(
        "db-1:5432 has no database 'orders' (3D000). Create it, or correct the name passed to ForDatabase.",
        FailureClassifier.Describe(Server("3D000", "FATAL"), HostOf(Login), new Further()).Message);

    [Theory]
    [InlineData(SocketError.HostNotFound, "the host name 'db-1' does not resolve. Correct the host in Host 'primary'.")]
    [InlineData(SocketError.NoData, "the host name 'db-1' does not resolve. Correct the host in Host 'primary'.")]
    [InlineData(SocketError.ConnectionRefused, "db-1:5432 refuses connections: no server listens there.")]
    public void The_message_for_an_unreachable_host_says_why(SocketError error, string message) =>
        Assert.Equal(message, FailureClassifier.Describe(new NpgsqlException("Failed to connect", new SocketException((int)error)), HostOf(Login)).Message);

    [Fact]
    public void A_pooler_that_refuses_a_setting_is_told_apart_from_one_that_lost_its_server()
    {
        static string MessageOf(string text) => FailureClassifier.Describe(new PostgresException(text, "FATAL", "FATAL", PostgresErrorCodes.ProtocolViolation), HostOf(Login)).Message;
        Assert.Contains("Add 'ignore_startup_parameters = options' to its configuration.", MessageOf("unsupported startup parameter: options"), StringComparison.Ordinal);
        Assert.Equal("db-1:5432: server conn crashed? (08P01)", MessageOf("server conn crashed?"));
    }

    [Theory]
    [InlineData("The remote certificate was rejected: RemoteCertificateNameMismatch", "the server's certificate has expired, is for another host name, or is not signed by a trusted authority.")]
    [InlineData("no common protocol version.", "no common protocol version. Correct the SSL settings in Host 'primary'.")]
    public void A_failed_TLS_handshake_is_a_misconfiguration(string text, string words)
    {
        var failure = FailureClassifier.Describe(new NpgsqlException("Exception while performing SSL handshake", new AuthenticationException(text)), HostOf(Login));
        Assert.Equal(FailureKind.Misconfigured, failure.Kind);
        Assert.Contains(words, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_certificate_that_was_examined_is_described_by_what_is_wrong_with_it()
    {
        var refused = new CertificateRefusedException("the certificate of db-1:5432 expired.", new NpgsqlException("handshake", new AuthenticationException()));
        Assert.Equal(new HostFailure(FailureKind.Misconfigured, "the certificate of db-1:5432 expired."), FailureClassifier.Describe(refused, HostOf(Login)));
    }

    [Theory]
    [InlineData("No password has been provided but the backend requires one (in SASL/SCRAM-SHA-256)", FailureKind.Misconfigured)]
    [InlineData("SSL connection requested. No SSL enabled connection from this host is configured.", FailureKind.Misconfigured)]
    [InlineData("MD5 authentication method is not allowed. Allowed methods: ScramSHA256", FailureKind.Misconfigured)]
    [InlineData("Something else", FailureKind.None)]
    internal void A_login_that_Npgsql_refuses_is_a_misconfiguration(string text, FailureKind kind) =>
        Assert.Equal(kind, FailureClassifier.Classify(new NpgsqlException(text), FailureSite.Opening));

    [Theory]
    [InlineData(false, "Correct Require Auth in Host 'primary', or the method in the server's pg_hba.conf.")]
    [InlineData(true, "A discovered host gets the password by SCRAM only")]
    public void The_message_for_a_refused_authentication_method_depends_on_who_named_the_host(bool isDiscovered, string words)
    {
        var refused = new NpgsqlException("MD5 authentication method is not allowed. Allowed methods: ScramSHA256");
        Assert.Contains(words, FailureClassifier.Describe(refused, HostOf(Login) with { IsDiscovered = isDiscovered }).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_password_of_our_own_is_told_apart_from_a_refused_one() =>
        Assert.Equal(FailureKind.NoPassword, FailureClassifier.Classify(new NoPasswordException("The provider returned none."), FailureSite.Opening));

    /// <summary>The work reads a file of its own.</summary>
    [Fact]
    public void A_file_is_the_cause_only_while_a_connection_is_opened()
    {
        var error = new NpgsqlException("Exception", new UnauthorizedAccessException());
        Assert.Equal(FailureKind.Misconfigured, FailureClassifier.Classify(error, FailureSite.Opening));
        Assert.Equal(FailureKind.None, FailureClassifier.Classify(error, FailureSite.BrokenConnection));
    }

    [Fact]
    public void A_servers_text_is_shown_as_one_line() => Assert.Equal(
        "db-1:5432: first  second (53300)", FailureClassifier.Describe(new PostgresException("first\r\nsecond", "FATAL", "FATAL", "53300"), HostOf(Login)).Message);

    private static HostConfiguration HostOf(string connectionString)
    {
        var options = new DatabaseRouterOptions();
        options.Hosts["primary"] = new DatabaseHostOptions { ConnectionString = "Host=db-1" };
        // Build rejects missing files, so the connection settings are replaced afterwards.
        return RouterConfigurationBuilder.Build(options).Hosts[0] with { Connection = ConnectionStringParser.Parse(connectionString)[0] };
    }
}
