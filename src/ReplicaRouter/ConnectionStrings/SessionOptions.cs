using Npgsql;

namespace ReplicaRouter.ConnectionStrings;

/// <summary>The settings of a session that its startup packet carries: <c>options</c> of a connection string, else the variable <c>PGOPTIONS</c>.</summary>
/// <remarks>
/// Npgsql reads the variable only where the connection string has no options. Whatever the router adds must not be in its place. Of a setting that is given
/// twice, the last one holds. Source: PostgreSQL manual, "Environment Variables" and "Parameter Interaction via the Command Line".
/// </remarks>
internal static class SessionOptions
{
    private const string Variable = "PGOPTIONS";

    /// <summary>What is meant for the application's own statements. A standby refuses SERIALIZABLE, and would seem to be down.</summary>
    private static readonly (string Name, string Value)[] s_reset = [("statement_timeout", "0"), ("lock_timeout", "0"), ("default_transaction_isolation", @"read\ committed")];

    /// <summary>Set in the startup packet, not by SET: Npgsql resets the session whenever a connection returns to the pool.</summary>
    public static string ReadOnly(NpgsqlConnectionStringBuilder settings) => $"{Given(settings)} -c default_transaction_read_only=on".TrimStart();

    /// <summary>For the router's own questions. A setting that is not given is not added: a pooler may refuse it.</summary>
    public static string? ForOwnQuestions(NpgsqlConnectionStringBuilder settings) => Given(settings) is not { } given ? null
        // As --statement-timeout=1 as well.
        : given + string.Concat(s_reset.Where(reset => given.Replace('-', '_').Contains(reset.Name, StringComparison.OrdinalIgnoreCase)).Select(reset => $" -c {reset.Name}={reset.Value}"));

    private static string? Given(NpgsqlConnectionStringBuilder settings) => settings.Options ?? Environment.GetEnvironmentVariable(Variable);
}
