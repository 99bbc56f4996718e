using System.Data;
using Microsoft.AspNetCore.Http.HttpResults;
using ReplicaRouter.Testing;

namespace Snippets.Usage;

#region
public sealed class Clients(DatabaseRouter router)
{
    // Writes go to the primary. One is never run twice.
    public Task<Guid> CreateAsync(Guid organization, NewClient client, CancellationToken ct) =>
        router.ExecuteAsync(DatabaseOperation.Write, (connection, token) => connection.ExecuteScalarAsync<Guid>(new CommandDefinition(
            "INSERT INTO client (organization_id, name, email) VALUES (@organization, @Name, @Email) RETURNING id",
            new { organization, client.Name, client.Email }, cancellationToken: token)), ct);

    // Reads are balanced over the replicas. One whose host fails is run again on another.
    public Task<Client?> FindAsync(Guid organization, Guid id, CancellationToken ct) =>
        router.ExecuteAsync(DatabaseOperation.Read, (connection, token) => connection.QuerySingleOrDefaultAsync<Client>(new CommandDefinition(
            "SELECT id, name, email FROM client WHERE organization_id = @organization AND id = @id",
            new { organization, id }, cancellationToken: token)), ct);
}
#endregion

public sealed record NewClient(string Name, string Email);

public sealed record Client(Guid Id, string Name, string Email);

public sealed record Revenue(string Status, decimal Total);

public sealed record Job(Guid Id, int Attempts);

public sealed class Reports(DatabaseRouter router)
{
    #region
    // Heavy aggregations go to the analytics replica, where they slow down nobody else.
    public Task<IEnumerable<Revenue>> RevenueAsync(Guid organization, int year, CancellationToken ct) =>
        router.ExecuteAsync(DatabaseOperation.Analytics, (connection, token) => connection.QueryAsync<Revenue>(new CommandDefinition(
            """
            SELECT status, sum(total) AS total FROM invoice
            WHERE organization_id = @organization AND date >= make_date(@year, 1, 1) AND date < make_date(@year + 1, 1, 1)
            GROUP BY status
            """,
            new { organization, year }, cancellationToken: token)), ct);

    // What schedulers and queues look for goes to the background replica.
    public Task<IEnumerable<Job>> FailedJobsAsync(CancellationToken ct) =>
        router.ExecuteAsync(DatabaseOperation.Background, (connection, token) => connection.QueryAsync<Job>(new CommandDefinition(
            "SELECT id, attempts FROM job WHERE status = 'failed' AND attempts < 3 ORDER BY created_at", cancellationToken: token)), ct);
    #endregion

    #region
    // With a state, the lambda captures nothing: no closure is allocated.
    public Task<decimal> TotalAsync(Guid client, CancellationToken ct) =>
        router.ExecuteAsync(DatabaseOperation.Read, static (connection, client, token) => connection.ExecuteScalarAsync<decimal>(new CommandDefinition(
            "SELECT sum(total) FROM invoice WHERE client_id = @client", new { client }, cancellationToken: token)), client, cancellationToken: ct);
    #endregion
}

public sealed class Payments(DatabaseRouter router)
{
    #region
    public Task<decimal> PayAsync(Guid invoice, decimal amount, CancellationToken ct) =>
        router.WithTransactionAsync(async (transaction, token) =>
        {
            var connection = transaction.Connection!;
            var balance = await connection.ExecuteScalarAsync<decimal>(new CommandDefinition(
                "UPDATE invoice SET balance = balance - @amount WHERE id = @invoice RETURNING balance",
                new { invoice, amount }, transaction, cancellationToken: token));
            await connection.ExecuteAsync(new CommandDefinition(
                "INSERT INTO audit (action, entity, detail) VALUES ('paid', @invoice, @amount)",
                new { invoice, amount }, transaction, cancellationToken: token));
            return balance;
        }, ct);
    #endregion
}

internal static class Patterns
{
    public static async Task CopyAsync(DatabaseRouter router, Stream file, CancellationToken ct)
    {
        #region
        await using var connection = await router.OpenConnectionAsync(DatabaseOperation.Analytics, ct);
        await using var export = await connection.BeginRawBinaryCopyAsync("COPY invoice TO STDOUT (FORMAT binary)", ct);
        await export.CopyToAsync(file, ct);
        #endregion
    }

    public static async Task SnapshotAsync(DatabaseRouter router, CancellationToken ct)
    {
        #region
        await using var connection = await router.OpenConnectionAsync(DatabaseOperation.Analytics, ct);
        await using var snapshot = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct);
        var invoiced = await connection.ExecuteScalarAsync<decimal>("SELECT sum(total) FROM invoice");
        var paid = await connection.ExecuteScalarAsync<decimal>("SELECT sum(amount) FROM payment");
        #endregion
    }

    public static void DataSources(DatabaseRouter router)
    {
        #region
        RoutedDataSource atEachOpen = router.GetDataSource(DatabaseOperation.Read);
        NpgsqlDataSource now = router.GetClient(DatabaseOperation.Read);
        #endregion
    }

    public static void Endpoints(WebApplication app)
    {
        #region
        var clients = app.MapGroup("/organizations/{organization:guid}/clients").RequireAuthorization();

        clients.MapPost("/", async (Guid organization, NewClient client, Clients service, CancellationToken ct) =>
            TypedResults.Ok(await service.CreateAsync(organization, client, ct)));

        clients.MapGet("/{id:guid}", async Task<Results<Ok<Client>, NotFound>> (Guid organization, Guid id, Clients service, CancellationToken ct) =>
            await service.FindAsync(organization, id, ct) is { } client ? TypedResults.Ok(client) : TypedResults.NotFound());
        #endregion
    }

    public static async Task OutcomeAsync(Payments payments, Guid invoice, decimal amount, CancellationToken ct)
    {
        #region
        try
        {
            await payments.PayAsync(invoice, amount, ct);
        }
        catch (TransactionOutcomeUnknownException lost)
        {
            // Committed: don't repeat it. RolledBack: it may be repeated. Unknown: look by your own data.
            var outcome = await lost.ResolveAsync(ct);
        }
        #endregion
    }

    public static async Task WorkersAsync(DatabaseRouter router, CancellationToken ct)
    {
        #region
        var candidates = await router.ExecuteAsync(DatabaseOperation.Background, (connection, token) => connection.QueryAsync<Guid>(new CommandDefinition(
            "SELECT id FROM document WHERE ocr_status = 'pending' ORDER BY created_at LIMIT 10", cancellationToken: token)), ct);

        var claimed = await router.ExecuteAsync(DatabaseOperation.Write, (connection, token) => connection.QueryAsync<Guid>(new CommandDefinition(
            """
            UPDATE document SET ocr_status = 'processing'
            WHERE id IN (SELECT id FROM document WHERE id = ANY(@ids) AND ocr_status = 'pending' FOR UPDATE SKIP LOCKED)
            RETURNING id
            """,
            new { ids = candidates.ToArray() }, cancellationToken: token)), ct);
        #endregion
    }

    public static async Task FreshnessAsync(DatabaseRouter router, CancellationToken ct)
    {
        #region
        // The newest state of everything: the primary.
        var strong = new OperationOptions { Consistency = Consistency.Strong };
        var invoice = await router.ExecuteAsync(DatabaseOperation.Read, LoadAsync, strong, ct);

        // At most half a minute old, or else a better replica or the primary.
        var recent = new OperationOptions { MaxLag = TimeSpan.FromSeconds(30) };
        var list = await router.ExecuteAsync(DatabaseOperation.Read, LoadAsync, recent, ct);
        #endregion
    }

    public static async Task OptionsAsync(DatabaseRouter router, CancellationToken ct)
    {
        #region
        var options = new OperationOptions
        {
            Deadline = TimeSpan.FromSeconds(2),     // for all of it: choosing, opening, retries, the work
            Labels = ["zone=eu-1"],                 // only replicas that carry the label; the primary needs none
            AllowHedging = true,                           // a slow read is started once more elsewhere; the first answer counts
        };
        var found = await router.ExecuteAsync(DatabaseOperation.Read, SearchAsync, options, ct);
        #endregion

        #region
        var hits = await router.ExecuteAsync("search", SearchAsync, ct);
        #endregion
    }

    public static void State(DatabaseRouter router)
    {
        #region
        DatabaseRouterMetrics metrics = router.GetMetrics();
        Console.WriteLine($"Read: {metrics.QueriesRouted[DatabaseOperation.Read]}, failovers: {metrics.Failovers}, last probe: {metrics.LastHealthCheck}");
        foreach (var (host, latency) in metrics.AverageLatency) Console.WriteLine($"{host}: {latency.TotalMilliseconds:0.0} ms");

        foreach (var (host, health) in router.GetHealthStatus())
        {
            Console.WriteLine($"{host}: {health.Role}, {health.State}, lag {health.ReplicationLag?.ToString() ?? "n/a"} {health.Error}");
        }
        #endregion
    }

    public static async Task TestAsync(CancellationToken ct)
    {
        #region
        await using var cluster = await LocalCluster.StartAsync(cancellationToken: ct);   // a primary, and the replicas analytics, background and dr
        var options = new DatabaseRouterOptions();
        foreach (var server in cluster.Servers) options.Hosts[server.Name] = new DatabaseHostOptions { ConnectionString = server.ConnectionString };
        await using var router = DatabaseRouter.Create(options);

        await cluster["analytics"].KillAsync(ct);
        await router.ExecuteAsync(DatabaseOperation.Analytics, ReportAsync, ct);    // served by another replica
        #endregion
    }

    public static async Task OperateAsync(DatabaseRouter router, CancellationToken ct)
    {
        #region
        await router.DrainAsync("analytics", ct);           // no new work; returns when the connections in use are back
        await router.RestoreAsync("analytics", ct);
        await router.ForceFailoverToPrimaryAsync(ct);       // all reads to the primary, 5 s by default; then health checks decide again
        #endregion
    }

    private static Task ReportAsync(NpgsqlConnection connection, CancellationToken ct) => Task.CompletedTask;

    private static Task<int> LoadAsync(NpgsqlConnection connection, CancellationToken ct) => Task.FromResult(1);

    private static Task<int> SearchAsync(NpgsqlConnection connection, CancellationToken ct) => Task.FromResult(1);
}
