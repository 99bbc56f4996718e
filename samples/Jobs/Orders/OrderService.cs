using Dapper;
using ReplicaRouter;

namespace Jobs.Orders;

/// <summary>Places orders on the primary. Jobs look them up on the background replica.</summary>
public sealed class OrderService(DatabaseRouter router)
{
    public Task CreateTablesAsync(CancellationToken ct) =>
        router.ExecuteAsync(DatabaseOperation.Write, (connection, token) => connection.ExecuteAsync(new CommandDefinition(
            """
            CREATE TABLE IF NOT EXISTS orders (id uuid PRIMARY KEY, placed_at timestamptz NOT NULL DEFAULT now());
            CREATE TABLE IF NOT EXISTS receipts (order_id uuid PRIMARY KEY, order_found boolean NOT NULL, from_replica boolean NOT NULL);
            """, cancellationToken: token)), ct);

    /// <summary>Places an order. Placing it again with the same id does nothing, so a call whose outcome is unknown can be repeated.</summary>
    public Task PlaceAsync(Guid id, CancellationToken ct) =>
        router.ExecuteAsync(DatabaseOperation.Write, (connection, token) => connection.ExecuteAsync(
            new CommandDefinition("INSERT INTO orders (id) VALUES (@id) ON CONFLICT DO NOTHING", new { id }, cancellationToken: token)), ct);

    /// <returns>Whether the order exists, and whether a replica answered.</returns>
    public Task<(bool Found, bool FromReplica)> FindAsync(Guid id, CancellationToken ct) =>
        router.ExecuteAsync(DatabaseOperation.Background, (connection, token) => connection.QuerySingleAsync<(bool, bool)>(
            new CommandDefinition("SELECT EXISTS (SELECT FROM orders WHERE id = @id), pg_is_in_recovery()", new { id }, cancellationToken: token)), ct);
}
