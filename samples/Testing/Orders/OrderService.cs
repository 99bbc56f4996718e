using Npgsql;
using ReplicaRouter;

namespace Orders;

#region service
/// <summary>Places orders on the primary and looks them up on replicas.</summary>
public sealed class OrderService(DatabaseRouter router)
{
    /// <summary>Reduces the stock and records the order, both or neither.</summary>
    /// <exception cref="OutOfStockException">The stock is less than the order.</exception>
    public Task PlaceAsync(Order order, CancellationToken ct) => router.WithTransactionAsync(async (transaction, token) =>
    {
        await using var take = new NpgsqlCommand("UPDATE stock SET quantity = quantity - $2 WHERE product = $1 AND quantity >= $2", transaction.Connection)
        {
            Parameters = { new() { Value = order.Product }, new() { Value = order.Quantity } },
        };
        if (await take.ExecuteNonQueryAsync(token) == 0) throw new OutOfStockException(order.Product);

        await using var note = new NpgsqlCommand("INSERT INTO orders (id, product, quantity) VALUES ($1, $2, $3)", transaction.Connection)
        {
            Parameters = { new() { Value = order.Id }, new() { Value = order.Product }, new() { Value = order.Quantity } },
        };
        await note.ExecuteNonQueryAsync(token);
    }, ct);

    /// <summary>Looks up an order.</summary>
    public Task<Order?> FindAsync(Guid id, CancellationToken ct) => router.ExecuteAsync(DatabaseOperation.Read, async (connection, token) =>
    {
        await using var command = new NpgsqlCommand("SELECT product, quantity FROM orders WHERE id = $1", connection) { Parameters = { new() { Value = id } } };
        await using var reader = await command.ExecuteReaderAsync(token);
        return await reader.ReadAsync(token) ? new Order(id, reader.GetString(0), reader.GetInt32(1)) : null;
    }, ct);

    /// <summary>Returns the quantity in stock, for a page that works without it: null if no server can serve the read.</summary>
    public async Task<int?> StockOfAsync(string product, CancellationToken ct)
    {
        try
        {
            return await router.ExecuteAsync(DatabaseOperation.Read, async (connection, token) =>
            {
                await using var command = new NpgsqlCommand("SELECT quantity FROM stock WHERE product = $1", connection) { Parameters = { new() { Value = product } } };
                return (int?)await command.ExecuteScalarAsync(token);
            }, ct);
        }
        catch (NoEligibleHostException)
        {
            return null;
        }
    }
}
#endregion
