using Npgsql;

namespace ReplicaRouter.ConnectionStrings;

/// <summary>The session settings in the startup packet: <c>options</c> of the connection string, otherwise the environment variable <c>PGOPTIONS</c>.</summary>
/// <remarks>
/// Npgsql reads the variable only if the connection string has no options, so what the router adds must include the variable's value. If a setting is given twice, the
/// last one applies. Source: PostgreSQL manual, "Environment Variables" and "Parameter Interaction via the Command Line".
/// </remarks>
internal static class SessionOptions
{
    /// <summary>Settings that are meant only for the application's statements. A standby rejects SERIALIZABLE, and would appear to be down.</summary>
    private static readonly (string Name, string Value)[] s_reset = [("statement_timeout", "0"), ("lock_timeout", "0"), ("default_transaction_isolation", @"read\ committed")];

    /// <summary>Returns options for a read-only session. Not by SET: Npgsql resets the session whenever a connection returns to the pool.</summary>
    public static string ReadOnly(NpgsqlConnectionStringBuilder settings) => $"{Given(settings)} -c default_transaction_read_only=on".TrimStart();

    /// <summary>Returns options for the router's own queries. Adds no setting that is not given: a pooler can reject it.</summary>
    public static string? ForOwnQuestions(NpgsqlConnectionStringBuilder settings) => Given(settings) is not { } given ? null
        // Also matches the form --statement-timeout=1.
        : given + string.Concat(s_reset.Where(reset => given.Replace('-', '_').Contains(reset.Name, StringComparison.OrdinalIgnoreCase)).Select(reset => $" -c {reset.Name}={reset.Value}"));

    private static string? Given(NpgsqlConnectionStringBuilder settings) => settings.Options ?? Environment.GetEnvironmentVariable("PGOPTIONS");
}
