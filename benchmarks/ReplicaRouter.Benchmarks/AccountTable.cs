using Npgsql;

namespace ReplicaRouter.Benchmarks;

/// <summary>The table that the load reads, one row by its key.</summary>
internal static class AccountTable
{
    private const int Rows = 10_000;
    private const string Read = "SELECT abalance, inet_server_port() FROM account WHERE aid = $1";

    public static readonly string Create = $"""
        CREATE TABLE account (aid int PRIMARY KEY, abalance int NOT NULL);
        INSERT INTO account SELECT aid, 0 FROM generate_series(1, {Rows}) aid;
        """;

    public static int RandomKey() => Random.Shared.Next(Rows) + 1;

    /// <returns>The port that the answering server reports.</returns>
    public static async Task<int> ReadAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(Read, connection);
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = RandomKey() });
        await using var reader = await command.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        return reader.GetInt32(1);
    }
}
