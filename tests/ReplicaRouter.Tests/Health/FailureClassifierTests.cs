using System.Net.Sockets;
using Npgsql;

namespace ReplicaRouter.Tests.Health;

public class FailureClassifierTests
{
    private static PostgresException Server(string sqlState, string severity = "ERROR", string? routine = null) =>
        new("a message in whatever language", severity, severity, sqlState, routine: routine);

    [Theory]
    [InlineData("57P01", "FATAL", null, FailureKind.Terminated)]
    [InlineData("57P02", "FATAL", null, FailureKind.Terminated)]
    [InlineData("57P04", "FATAL", null, FailureKind.Terminated)]
    [InlineData("57P05", "FATAL", null, FailureKind.Terminated)]
    [InlineData("57P03", "FATAL", null, FailureKind.Restarting)]
    [InlineData("53300", "FATAL", null, FailureKind.Full)]
    [InlineData("28P01", "FATAL", null, FailureKind.Misconfigured)]
    [InlineData("28000", "FATAL", null, FailureKind.Misconfigured)]
    [InlineData("3D000", "FATAL", null, FailureKind.Misconfigured)]
    [InlineData("25006", "ERROR", null, FailureKind.ReadOnly)]
    [InlineData("08006", "FATAL", null, FailureKind.Unreachable)]
    [InlineData("40001", "ERROR", "ProcessInterrupts", FailureKind.RecoveryConflict)]
    [InlineData("40001", "FATAL", "ProcessRecoveryConflictInterrupt", FailureKind.RecoveryConflict)]
    [InlineData("40P01", "ERROR", "ProcessInterrupts", FailureKind.RecoveryConflict)]
    [InlineData("40001", "ERROR", "ExecUpdate", FailureKind.None)]
    [InlineData("40P01", "ERROR", "DeadLockReport", FailureKind.None)]
    [InlineData("28000", "ERROR", null, FailureKind.None)]
    [InlineData("57014", "ERROR", null, FailureKind.None)]
    [InlineData("53200", "ERROR", null, FailureKind.None)]
    [InlineData("58030", "ERROR", null, FailureKind.None)]
    [InlineData("XX000", "ERROR", null, FailureKind.None)]
    [InlineData("23505", "ERROR", null, FailureKind.None)]
    internal void What_the_server_says_is_told_apart_S15_S16_S19(string sqlState, string severity, string? routine, FailureKind kind) =>
        Assert.Equal(kind, FailureClassifier.Classify(Server(sqlState, severity, routine)));

    /// <summary>PgBouncer has the code 08P01 for all that it says itself.</summary>
    [Theory]
    [InlineData("FATAL", "server conn crashed?", FailureKind.Unreachable)]
    [InlineData("FATAL", "server login has been failing, try again later (server_login_retry)", FailureKind.Restarting)]
    [InlineData("FATAL", "unsupported startup parameter: options", FailureKind.Misconfigured)]
    [InlineData("FATAL", "no such database: app", FailureKind.Misconfigured)]
    [InlineData("FATAL", "no more connections allowed (max_client_conn)", FailureKind.Full)]
    [InlineData("FATAL", "query_wait_timeout", FailureKind.Timeout)]
    [InlineData("ERROR", "bind message supplies 1 parameters, but prepared statement requires 2", FailureKind.None)]
    internal void What_a_pooler_says_is_told_apart_by_its_words(string severity, string message, FailureKind kind) =>
        Assert.Equal(kind, FailureClassifier.Classify(new PostgresException(message, severity, severity, PostgresErrorCodes.ProtocolViolation)));

    [Theory]
    [InlineData(SocketError.ConnectionRefused, FailureKind.Unreachable)]
    [InlineData(SocketError.ConnectionReset, FailureKind.Unreachable)]
    [InlineData(SocketError.TimedOut, FailureKind.Timeout)]
    [InlineData(SocketError.HostNotFound, FailureKind.NameUnknown)]
    internal void So_is_what_the_network_says_however_it_is_wrapped(SocketError error, FailureKind kind)
    {
        var socket = new SocketException((int)error);
        Assert.Equal(kind, FailureClassifier.Classify(socket));
        Assert.Equal(kind, FailureClassifier.Classify(new NpgsqlException("Failed to connect", socket)));
        Assert.Equal(kind, FailureClassifier.Classify(new NpgsqlException("While reading", new IOException("read", socket))));
    }

    [Fact]
    public void Our_own_exhausted_pool_and_the_callers_mistakes_are_no_failures_of_the_host_H25()
    {
        Assert.Equal(FailureKind.None, FailureClassifier.Classify(new NpgsqlException("The connection pool has been exhausted, either raise", new TimeoutException())));
        Assert.Equal(FailureKind.Timeout, FailureClassifier.Classify(new NpgsqlException("The operation has timed out", new TimeoutException())));
        Assert.Equal(FailureKind.None, FailureClassifier.Classify(new OperationCanceledException()));
        Assert.Equal(FailureKind.None, FailureClassifier.Classify(new InvalidOperationException()));
    }
}
