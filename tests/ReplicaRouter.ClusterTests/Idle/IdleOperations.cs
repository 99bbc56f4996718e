using Dapper;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace ReplicaRouter.ClusterTests.Idle;

/// <summary>Each kind of operation that takes a connection from a pool.</summary>
internal sealed class IdleOperations(DatabaseRouter router)
{
    private const string Insert = "INSERT INTO visit VALUES (@id, @by)";
    private readonly List<Guid> _written = [];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public IReadOnlyList<Guid> Written
    {
        get
        {
            lock (_written) return [.. _written];
        }
    }

    public IReadOnlyDictionary<string, Func<Task>> All => new Dictionary<string, Func<Task>>
    {
        ["read"] = () => router.ExecuteAsync(DatabaseOperation.Read, (c, ct) => c.ExecuteScalarAsync<int>(new CommandDefinition("SELECT 1", cancellationToken: ct)), Ct),
        ["read, synchronously"] = () => OnThreadAsync(() => router.Execute(DatabaseOperation.Read, c => c.ExecuteScalar<int>("SELECT 1"))),
        ["write"] = () => WriteAsync(id => router.ExecuteAsync(DatabaseOperation.Write, (c, _) => c.ExecuteAsync(Insert, new { id, by = "write" }), Ct)),
        ["write, synchronously"] = () => WriteAsync(id => OnThreadAsync(() => router.Execute(DatabaseOperation.Write, c => c.Execute(Insert, new { id, by = "sync" })))),
        ["transaction"] = () => WriteAsync(id => router.WithTransactionAsync((t, _) => t.Connection!.ExecuteAsync(Insert, new { id, by = "transaction" }, t), Ct)),
        ["read by EF"] = async () =>
        {
            await using var db = IdleDb.Over(router);
            await db.Visits.AsNoTracking().CountAsync(v => v.By == "nobody", Ct);
        },
        ["write by EF"] = () => WriteAsync(async id =>
        {
            await using var db = IdleDb.Over(router);
            await db.Database.ExecuteSqlAsync($"INSERT INTO visit VALUES ({id}, 'ef')", Ct);
        }),
        ["read by Dapper"] = async () =>
        {
            await using var connection = await router.GetDataSource(DatabaseOperation.Read).OpenConnectionAsync(Ct);
            await connection.QueryAsync<int>("SELECT 1");
        },
        ["write by Dapper, synchronously"] = () => WriteAsync(id => OnThreadAsync(() =>
        {
            using var connection = router.GetDataSource(DatabaseOperation.Write).OpenConnection();
            return connection.Execute(Insert, new { id, by = "dapper" });
        })),
        ["connection handed out"] = () => WriteAsync(async id =>
        {
            await using var connection = await router.OpenConnectionAsync(DatabaseOperation.Write, Ct);
            await connection.ExecuteAsync(Insert, new { id, by = "handed out" });
        }),
    };

    /// <summary>Fills the pools by running several of each kind at once.</summary>
    public Task BurstAsync() => Task.WhenAll(All.Values.SelectMany(operation => Enumerable.Range(0, 3).Select(_ => Task.Run(operation))));

    private async Task WriteAsync(Func<Guid, Task> write)
    {
        var id = Guid.NewGuid();
        await write(id);
        lock (_written) _written.Add(id);
    }

    // Runs on its own thread: blocking the pool's threads would delay asynchronous work.
    private static Task<T> OnThreadAsync<T>(Func<T> work) => Task.Factory.StartNew(work, Ct, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
