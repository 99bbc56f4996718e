using Npgsql;

namespace ReplicaRouter.Tool.Inspection;

/// <summary>Finds out whether a pooler stands between us and a server, and what it does to sessions.</summary>
internal static class PoolerProbe
{
    /// <summary>Others may come in between.</summary>
    private const int Attempts = 3;

    /// <summary>A text of its own, by which the statement is found again and removed.</summary>
    private const string Statement = "SELECT pg_backend_pid() /* replica-router doctor */";

    public static async Task<PoolerFacts?> FindAsync(NpgsqlConnection connection, Func<CancellationToken, Task<NpgsqlConnection>> openAsync, CancellationToken ct)
    {
        // A pooler can't tell its client at login which server process will serve it, and invents a number.
        if (await BackendAsync(connection, ct) == connection.ProcessID) return null;
        for (var i = 0; i < Attempts; i++)
        {
            await using var ours = await openAsync(ct);
            await using var other = await openAsync(ct);
            if (await TryMeetAsync(ours, other, ct) is { } keepsStatements) return new(PoolerMode.Transaction, keepsStatements);
        }

        return new(PoolerMode.Session, KeepsPreparedStatements: true);
    }

    /// <summary>Has another client take the server connection that ours has just used, while ours is still there.</summary>
    /// <returns>Whether a statement that ours had prepared can be run afterwards; null when the other got a connection of its own.</returns>
    private static async Task<bool?> TryMeetAsync(NpgsqlConnection ours, NpgsqlConnection other, CancellationToken ct)
    {
        await using var statement = new NpgsqlCommand(Statement, ours);
        await statement.PrepareAsync(ct);
        await using var transaction = await other.BeginTransactionAsync(ct);
        try
        {
            return await RunAsync(statement, ct) is not { } backend ? false
                : await BackendAsync(other, ct) != backend ? null
                : await RunAsync(statement, ct) is not null;
        }
        finally
        {
            // The server connection outlives us, and whoever gets it next may want the statement's name.
            await ForgetAsync(other, ct);
            await ForgetAsync(ours, ct);
        }
    }

    /// <returns>The server process that ran it, or null when that does not know the statement.</returns>
    private static async Task<int?> RunAsync(NpgsqlCommand statement, CancellationToken ct)
    {
        try
        {
            return (int)(await statement.ExecuteScalarAsync(ct))!;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InvalidSqlStatementName)
        {
            return null;
        }
    }

    private static async Task ForgetAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        foreach (var name in await connection.ListAsync($"SELECT quote_ident(name) FROM pg_prepared_statements WHERE statement = '{Statement}'", row => row.GetString(0), ct))
            await connection.ExecuteAsync($"DEALLOCATE {name}", ct);
    }

    private static Task<int> BackendAsync(NpgsqlConnection connection, CancellationToken ct) =>
        connection.AskAsync("SELECT pg_backend_pid()", row => row.GetInt32(0), ct);
}
