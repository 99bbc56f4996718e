using Npgsql;

namespace ReplicaRouter.PatroniTests;

/// <summary>An operation that failed.</summary>
/// <param name="What">The write's token, or "read".</param>
/// <param name="BegunAt">When the operation was passed to the router.</param>
/// <param name="SentAt">When its command was last sent; null if it never had a connection.</param>
/// <param name="FailedAt">When the operation failed.</param>
/// <param name="Exception">The exception that the router threw.</param>
internal sealed record LoadFailure(string What, TimeSpan BegunAt, TimeSpan? SentAt, TimeSpan FailedAt, Exception Exception)
{
    public override string ToString()
    {
        var sent = SentAt is { } at ? $"sent at {at.TotalSeconds:F3}" : "never sent";
        var state = Exception is PostgresException postgres ? $"{postgres.Severity} {postgres.SqlState} " : "";
        var cause = Exception.InnerException is { } inner ? $" <- {inner.GetType().Name}: {inner.Message}" : "";
        return $"{What}: begun at {BegunAt.TotalSeconds:F3}, {sent}, failed at {FailedAt.TotalSeconds:F3} s: {state}{Exception.GetType().Name}: {Exception.Message}{cause}";
    }
}
