using Dapper;
using Npgsql;

namespace ReplicaRouter.Checks;

/// <summary>One worker's row, whose value only grows, and what the worker knows about it.</summary>
/// <remarks>Each read must show at least the last acknowledged write and the last read value. A write of unknown outcome requires nothing.</remarks>
/// <param name="id">The number of the row.</param>
/// <param name="random">Decides which steps write.</param>
/// <param name="written">The last value that was written, acknowledged or not.</param>
/// <param name="known">The lowest value that a read can show.</param>
internal sealed class Register(int id, Random random, long written = 0, long known = 0)
{
    public const string CreateTable = "CREATE TABLE register (id int PRIMARY KEY, value bigint NOT NULL)";

    public long Written { get; private set; } = written;
    public long Known { get; private set; } = known;
    public long Reads { get; private set; }
    public long Violations { get; private set; }
    public long ServedByReplicas { get; private set; }

    /// <summary>Reads the row. One step in ten writes first.</summary>
    /// <param name="router">The router to work through.</param>
    /// <param name="options">The session, if any.</param>
    /// <param name="ct">Cancels the step.</param>
    public async Task StepAsync(DatabaseRouter router, OperationOptions? options, CancellationToken ct)
    {
        if (random.Next(10) == 0) await WriteAsync(router, options, ct);
        var (value, isReplica) = await router.ExecuteAsync(DatabaseOperation.Read, ReadAsync, options, ct);
        Reads++;
        if (isReplica) ServedByReplicas++;
        if (value < Known && options?.Session is not { HasLostHistory: true }) Violations++;
        Known = value;
    }

    /// <summary>Forgets the known value, after the session has reported a lost history.</summary>
    public void Forget() => Known = 0;

    private async Task WriteAsync(DatabaseRouter router, OperationOptions? options, CancellationToken ct)
    {
        // Counts even if the write fails: a value that was possibly written must not be written again.
        var value = ++Written;
        await router.ExecuteAsync(DatabaseOperation.Write, (connection, inner) => connection.ExecuteAsync(
            new CommandDefinition("INSERT INTO register VALUES (@id, @value) ON CONFLICT (id) DO UPDATE SET value = @value", new { id, value }, cancellationToken: inner)), options, ct);
        Known = value;
    }

    private async Task<(long Value, bool IsReplica)> ReadAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("SELECT coalesce((SELECT value FROM register WHERE id = $1), 0), pg_is_in_recovery()", connection);
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = id });
        await using var reader = await command.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        return (reader.GetInt64(0), reader.GetBoolean(1));
    }
}
