using Npgsql;

namespace ReplicaRouter.Tool.Inspection;

/// <summary>Finds out whether a pooler stands between us and a server, and what it does to sessions.</summary>
/// <param name="openAsync">Opens one more connection.</param>
internal sealed class PoolerProbe(Func<CancellationToken, Task<NpgsqlConnection>> openAsync)
{
    /// <summary>Others may come in between.</summary>
    private const int Attempts = 3;

    /// <summary>What Npgsql's names of prepared statements begin with.</summary>
    private const string NamePrefix = "_p";

    /// <summary>A text of its own, by which the statement is found again and removed.</summary>
    private const string Statement = "SELECT pg_backend_pid() /* replica-router doctor */";

    /// <returns>The pooler, or null when there is none.</returns>
    public async Task<PoolerFacts?> FindAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        // A pooler can't tell its client at login which server process will serve it, and invents a number.
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

    /// <summary>Whether another client gets the server connection that ours has just used, while ours is still there, or ours gets another one.</summary>
    private async Task<bool> IsSharedAsync(NpgsqlConnection ours, CancellationToken ct)
    {
        await using var other = await openAsync(ct);
        var backend = await BackendAsync(ours, ct);
        await using var transaction = await other.BeginTransactionAsync(ct);
        return await BackendAsync(other, ct) == backend || await BackendAsync(ours, ct) != backend;
    }

    /// <summary>Whether the server knows our prepared statement by another name: a pooler that keeps track of statements gives them names of its own.</summary>
    private static async Task<bool> RenamesStatementsAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var statement = new NpgsqlCommand(Statement, connection);
        try
        {
            await statement.PrepareAsync(ct);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.DuplicatePreparedStatement)
        {
            // Somebody else's statement has the name that Npgsql chose: nobody keeps them apart.
            return false;
        }

        // In a transaction, so that both are asked of one server connection.
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var names = await connection.ListAsync($"SELECT name FROM pg_prepared_statements WHERE statement = '{Statement}'", row => row.GetString(0), ct);
        var own = names.Where(name => name.StartsWith(NamePrefix, StringComparison.Ordinal)).ToList();
        // The server connection outlives us, and whoever gets it next may want the name.
        foreach (var name in own) await connection.ExecuteAsync($"DEALLOCATE {name}", ct);
        return names.Count > own.Count;
    }

    private static Task<int> BackendAsync(NpgsqlConnection connection, CancellationToken ct) =>
        connection.AskAsync("SELECT pg_backend_pid()", row => row.GetInt32(0), ct);
}
