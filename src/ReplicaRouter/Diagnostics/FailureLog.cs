using System.Reflection;
using Npgsql;

namespace ReplicaRouter.Diagnostics;

/// <summary>The kinds of failures that callers of the router met last, for operators. Bounded: the kind that was met longest ago makes room.</summary>
/// <remarks>No server's message about a query: it may quote what users entered.</remarks>
internal sealed class FailureLog
{
    public const int Most = 20;

    private static readonly Lazy<Dictionary<string, string>> s_conditions = new(() => typeof(PostgresErrorCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Where(field => field.IsLiteral).ToDictionary(field => (string)field.GetRawConstantValue()!, field => field.Name));

    private readonly Lock _lock = new();
    private readonly Dictionary<(string Route, string? Host, string What), OperationFailure> _failures = [];

    /// <summary>Notes a failure that leaves the router. Cancellation is none.</summary>
    /// <returns>Always false, so that an exception filter can note what it does not catch.</returns>
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

    /// <summary>The last kinds, newest first.</summary>
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
/// Failures of one kind: a SQLSTATE and its name, or what went wrong in words; the host where it was met, null where none was found; and the router's own message,
/// where there is one, which may name servers' addresses. They are counted since the kind was first met, or was forgotten.
/// </summary>
internal sealed record OperationFailure(string Route, string? Host, string What, string? Text, long Count, DateTimeOffset LastAt);
