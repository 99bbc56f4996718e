using System.Reflection;
using Npgsql;

namespace ReplicaRouter.Diagnostics;

/// <summary>The latest kinds of failures that callers got from the router, for operators. Bounded: a new kind replaces the least recent one.</summary>
/// <remarks>Contains no server message about a query, which can quote user input.</remarks>
internal sealed class FailureLog
{
    public const int Most = 20;

    private static readonly Lazy<Dictionary<string, string>> s_conditions = new(() => typeof(PostgresErrorCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Where(field => field.IsLiteral).ToDictionary(field => (string)field.GetRawConstantValue()!, field => field.Name));

    private readonly Lock _lock = new();
    private readonly Dictionary<(string Route, string? Host, string What), OperationFailure> _failures = [];

    /// <summary>Records a failure that the router throws to a caller. Ignores cancellation.</summary>
    /// <returns>Always false, so that an exception filter can record an exception without catching it.</returns>
    public bool Note(RoutePlan plan, HostConfiguration? host, Exception exception, TimeProvider time)
    {
        if (exception is OperationCanceledException) return false;
        var (what, text) = Describe(exception);
        var (key, now) = ((plan.Name, host?.Name, what), time.GetUtcNow());
        lock (_lock)
        {
            if (!_failures.TryGetValue(key, out var known) && _failures.Count == Most) _failures.Remove(_failures.MinBy(failure => failure.Value.LastAt).Key);
            _failures[key] = new OperationFailure(plan.Name, host?.Name, what, text, (known?.Count ?? 0) + 1, now);
        }

        return false;
    }

    /// <summary>Returns the latest kinds, newest first.</summary>
    public OperationFailure[] Last()
    {
        lock (_lock) return [.. _failures.Values.OrderByDescending(failure => failure.LastAt)];
    }

    private static (string What, string? Text) Describe(Exception exception) => exception switch
    {
        PostgresException { SqlState: var state } => ($"{state} {s_conditions.Value.GetValueOrDefault(state)}".TrimEnd(), null),
        NoEligibleHostException => ("no host could serve", exception.Message),
        TransactionOutcomeUnknownException => ("outcome unknown", null),
        DatabaseRouterConfigurationException => ("wrong configuration", exception.Message),
        TimeoutException or NpgsqlException { InnerException: TimeoutException } => ("timed out", null),
        NpgsqlException { InnerException: { } inner } => ($"connection failed: {inner.GetType().Name}", null),
        NpgsqlException => ("connection failed", null),
        _ => (exception.GetType().Name, null),
    };
}

/// <summary>
/// Failures of one kind: a SQLSTATE and its name, or a description; the host, null if none was chosen; the router's own message, if any, which can contain
/// servers' addresses; and their number since the kind first occurred, or was last forgotten.
/// </summary>
internal sealed record OperationFailure(string Route, string? Host, string What, string? Text, long Count, DateTimeOffset LastAt);
