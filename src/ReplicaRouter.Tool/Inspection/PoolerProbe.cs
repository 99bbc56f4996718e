using Npgsql;

namespace ReplicaRouter.Tool.Inspection;

/// <summary>Detects a pooler in front of a server, and what it does to database sessions.</summary>
/// <param name="openAsync">Opens one more connection.</param>
internal sealed class PoolerProbe(Func<CancellationToken, Task<NpgsqlConnection>> openAsync)
{
    /// <summary>More than one: another client can take the server connection in between and hide that it is shared.</summary>
    private const int Attempts = 3;

    /// <summary>The prefix of Npgsql's names of prepared statements.</summary>
    private const string NamePrefix = "_p";

    /// <summary>A unique text, by which the statement is found again and removed.</summary>
    private const string Statement = "SELECT pg_backend_pid() /* replica-router doctor */";

    /// <returns>The pooler, or null when there is none.</returns>
    public async Task<PoolerFacts?> FindAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        // At login a pooler does not know yet which backend will serve the client, so it invents a process id.
        if (await BackendAsync(connection, ct) == connection.ProcessID) return null;
        return await AnyAsync(IsSharedAsync, ct)
            ? new(PoolerMode.Transaction, await AnyAsync(RenamesStatementsAsync, ct))
            : new(PoolerMode.Session, KeepsPreparedStatements: true);
    }

    private async Task<bool> AnyAsync(Func<NpgsqlConnection, CancellationToken, Task<bool>> ask, CancellationToken ct)
    {
        for (var i = 0; i < Attempts; i++)
        {
            await using var connection = await openAsync(ct);
            if (await ask(connection, ct)) return true;
        }

        return false;
    }

    /// <summary>Whether a second client gets the server connection that ours just used while ours is still connected, or ours gets a different one.</summary>
    private async Task<bool> IsSharedAsync(NpgsqlConnection ours, CancellationToken ct)
    {
        await using var other = await openAsync(ct);
        var backend = await BackendAsync(ours, ct);
        await using var transaction = await other.BeginTransactionAsync(ct);
        return await BackendAsync(other, ct) == backend || await BackendAsync(ours, ct) != backend;
    }

    /// <summary>Whether the server knows our prepared statement by another name: a pooler that tracks statements renames them.</summary>
    private static async Task<bool> RenamesStatementsAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var statement = new NpgsqlCommand(Statement, connection);
        try
        {
            await statement.PrepareAsync(ct);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.DuplicatePreparedStatement)
        {
            // Another client's statement has the name that Npgsql chose, so the pooler does not keep them apart.
            return false;
        }

        // In a transaction, so that the query and DEALLOCATE use the same server connection.
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var names = await connection.ListAsync($"SELECT name FROM pg_prepared_statements WHERE statement = '{Statement}'", row => row.GetString(0), ct);
        var own = names.Where(name => name.StartsWith(NamePrefix, StringComparison.Ordinal)).ToList();
        // The server connection outlives this client, and the next client can need the name.
        foreach (var name in own) await connection.ExecuteAsync($"DEALLOCATE {name}", ct);
        return names.Count > own.Count;
    }

    private static Task<int> BackendAsync(NpgsqlConnection connection, CancellationToken ct) =>
        connection.AskAsync("SELECT pg_backend_pid()", row => row.GetInt32(0), ct);
}
