#region program
using System.Data.Common;
using Npgsql;
using ReplicaRouter;

var builder = WebApplication.CreateBuilder(args);
builder.AddReplicaRouter();

var app = builder.Build();
app.UseReplicaRouter();             // each request is a session, which follows the user
app.MapReplicaRouterHealth();       // /api/health, /health/live, /health/ready

// A data source for each operation, for Dapper, EF Core and anything else that takes one.
app.MapGet("/", async ([FromKeyedServices(DatabaseOperation.Read)] DbDataSource replicas, CancellationToken ct) =>
{
    await using var connection = await replicas.OpenConnectionAsync(ct);
    return $"Read from {connection.DataSource}";
});

// Or the router itself.
app.MapGet("/report", (DatabaseRouter router, CancellationToken ct) =>
    router.ExecuteAsync(DatabaseOperation.Analytics, async (connection, token) =>
    {
        await using var command = new NpgsqlCommand("SELECT count(*) FROM pg_stat_user_tables", connection);
        return $"{await command.ExecuteScalarAsync(token)} tables, counted by {connection.DataSource}";
    }, ct));

app.Run();
#endregion
