using Dapper;
using Npgsql;

namespace ReplicaRouter.Benchmarks.Faults;

/// <summary>The fate of the writes, read from the primary at the end.</summary>
/// <param name="Lost">Acknowledged tokens that are missing.</param>
/// <param name="Duplicates">Tokens that exist more than once.</param>
internal sealed record Audit(int Lost, int Duplicates)
{
    public static async Task<Audit> OfAsync(string primary, IEnumerable<Operation> operations, CancellationToken ct)
    {
        await using var connection = new NpgsqlConnection(primary + ";Pooling=false");
        var tokens = await connection.QueryAsync<(Guid Id, long Count)>(new CommandDefinition("SELECT id, count(*) FROM token GROUP BY id", cancellationToken: ct));
        var counts = tokens.ToDictionary(token => token.Id, token => token.Count);
        var acknowledged = operations.Where(operation => operation is { IsWrite: true, Answer: not null }).Select(operation => operation.Answer!.Value.Token);
        return new(acknowledged.Count(token => !counts.ContainsKey(token)), counts.Values.Count(count => count > 1));
    }
}
