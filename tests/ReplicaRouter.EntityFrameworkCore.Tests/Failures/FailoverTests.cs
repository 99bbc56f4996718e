using System.Collections.Concurrent;
using Dapper;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using ReplicaRouter.Testing;

namespace ReplicaRouter.EntityFrameworkCore.Tests.Failures;

/// <summary>Servers fail while contexts that retry on failure use them.</summary>
public class FailoverTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>
    /// The outcome of a save in flight when the server died is looked up on its successor. A synchronous successor has everything that was acknowledged. An
    /// asynchronous one can lack what the old primary acknowledged, but nothing that was found to be committed on the successor.
    /// </summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_killed_primary_causes_no_error_and_no_write_is_lost_or_applied_twice(bool isSynchronous)
    {
        await using var cluster = await LocalCluster.StartAsync(
            new LocalClusterOptions { Replicas = [new() { Name = "analytics" }, new() { Name = "background", IsSynchronous = isSynchronous }] }, Ct);
        await cluster.CreateSchemaAsync();
        await using var router = await cluster.HealthyRouterAsync();
        await using var load = new Load(router);
        await load.IsAtWorkAsync();

        await cluster.Primary.KillAsync(Ct);
        await Task.Delay(1000, Ct);
        var promotedAt = TimeProvider.System.GetTimestamp();
        await cluster.PromoteAsync("background", cancellationToken: Ct);
        await load.IsAtWorkAsync();
        await load.StopAsync();

        Assert.Empty(load.ReadErrors);
        Assert.Empty(load.SaveErrors);
        await using var connection = new NpgsqlConnection(cluster.Primary.ConnectionString);
        var there = (await connection.QueryAsync<Guid>("SELECT id FROM token")).ToList();
        Assert.Empty(load.Acknowledged.Where(save => isSynchronous || save.At > promotedAt).Select(save => save.Id).Except(there));
        Assert.Equal(there.Count, there.Distinct().Count());
    }

    [Fact]
    public async Task A_killed_replica_fails_no_query()
    {
        await using var cluster = await LocalCluster.StartAsync(new LocalClusterOptions { Replicas = [new() { Name = "analytics" }, new() { Name = "background" }] }, Ct);
        await cluster.CreateSchemaAsync();
        await using var router = await cluster.HealthyRouterAsync();
        await using var load = new Load(router);
        await load.IsAtWorkAsync();
        await cluster["analytics"].KillAsync(Ct);
        await load.IsAtWorkAsync();
        await load.StopAsync();
        Assert.Empty(load.ReadErrors);
        Assert.Empty(load.SaveErrors);
    }

    [Fact]
    public async Task A_query_that_loses_its_connection_is_retried_on_another_host()
    {
        await using var cluster = await LocalCluster.StartAsync(new LocalClusterOptions { Replicas = [new() { Name = "analytics" }, new() { Name = "background" }] }, Ct);
        await cluster.CreateSchemaAsync();
        await using var router = await cluster.HealthyRouterAsync();
        await using var db = router.Open(npgsql => npgsql.EnableRetryOnFailure(1));
        var analytics = cluster["analytics"].Port;
        for (var i = 0; i < 20; i++)
        {
            // The query ends its own connection on one host. That host stays healthy, and would fail the next attempt, too.
            var port = await db.Database.SqlQuery<int>($"""
                SELECT inet_server_port() AS "Value", CASE WHEN inet_server_port() = {analytics} THEN pg_terminate_backend(pg_backend_pid())::text || pg_sleep(5) END AS ended
                """).RouteTo(DatabaseOperation.Read).ToListAsync(Ct);
            Assert.Equal("background", cluster.NameOf(port.Single()));
        }
    }

    /// <summary>Workers that read, save, save in an explicit transaction, or save with their own check of the outcome, each time with a new context.</summary>
    private sealed class Load : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly DatabaseRouter _router;
        private readonly List<Task> _workers;
        private readonly int[] _done = new int[4];

        public Load(DatabaseRouter router)
        {
            _router = router;
            _workers =
            [
                .. Enumerable.Range(0, 3).Select(_ => Task.Run(() => WorkAsync(0, ReadAsync, ReadErrors))),
                .. Enumerable.Range(0, 3).Select(_ => Task.Run(() => WorkAsync(1, () => WriteAsync(SaveAsync), SaveErrors))),
                .. Enumerable.Range(0, 2).Select(_ => Task.Run(() => WorkAsync(2, () => WriteAsync(SaveInTransactionAsync), SaveErrors))),
                .. Enumerable.Range(0, 2).Select(_ => Task.Run(() => WorkAsync(3, () => WriteAsync(SaveCheckedAsync), SaveErrors))),
            ];
        }

        public ConcurrentBag<(long At, Guid Id)> Acknowledged { get; } = [];
        public ConcurrentBag<Exception> ReadErrors { get; } = [];
        public ConcurrentBag<Exception> SaveErrors { get; } = [];

        public async Task IsAtWorkAsync()
        {
            var enough = _done.Select(done => done + 10).ToArray();
            await TestExtensions.EventuallyAsync(() => _done.Zip(enough).All(kind => kind.First > kind.Second), 30, $"work goes on ({ReadErrors.Count}, {SaveErrors.Count} errors)");
        }

        public async Task StopAsync()
        {
            await _stop.CancelAsync();
            await Task.WhenAll(_workers);
        }

        public async ValueTask DisposeAsync()
        {
            await StopAsync();
            _stop.Dispose();
        }

        private async Task WorkAsync(int kind, Func<Task> work, ConcurrentBag<Exception> errors)
        {
            while (!_stop.IsCancellationRequested)
            {
                try
                {
                    await work();
                    Interlocked.Increment(ref _done[kind]);
                }
                catch (Exception e)
                {
                    errors.Add(e);
                }

                await Task.Delay(2);
            }
        }

        private NotesDb Open() => _router.Open(npgsql => npgsql.EnableRetryOnFailure());

        private async Task ReadAsync()
        {
            await using var db = Open();
            Assert.Equal("a note", (await db.Notes.SingleAsync(note => note.Id == -1)).Text);
        }

        private async Task WriteAsync(Func<NotesDb, Guid, Task> save)
        {
            await using var db = Open();
            var id = Guid.NewGuid();
            db.Add(new Token { Id = id });
            await save(db, id);
            Acknowledged.Add((TimeProvider.System.GetTimestamp(), id));
        }

        private static Task SaveAsync(NotesDb db, Guid id) => db.SaveChangesAsync();

        private static Task SaveInTransactionAsync(NotesDb db, Guid id) => db.Database.CreateExecutionStrategy().ExecuteAsync(async () =>
        {
            await using var transaction = await db.Database.BeginTransactionAsync();
            await db.SaveChangesAsync(acceptAllChangesOnSuccess: false);
            await transaction.CommitAsync();
        });

        private Task SaveCheckedAsync(NotesDb db, Guid id) => db.Database.CreateExecutionStrategy().ExecuteInTransactionAsync(
            async ct => await db.SaveChangesAsync(acceptAllChangesOnSuccess: false, ct),
            async ct =>
            {
                await using var check = Open();
                return await check.Tokens.FromPrimary().AnyAsync(known => known.Id == id, ct);
            });
    }
}
