using System.Collections.Concurrent;
using Dapper;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using ReplicaRouter.Testing;

namespace ReplicaRouter.EntityFrameworkCore.Tests.Failures;

/// <summary>Servers fail under contexts that retry on failure.</summary>
public class FailoverTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>
    /// What was under way when the server died is found out on its successor. With a synchronous one nothing that was acknowledged is lost; an asynchronous
    /// one may lack what the old primary acknowledged, but nothing that was found to be committed there.
    /// </summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_killed_primary_costs_nobody_an_error_and_no_write_is_lost_or_doubled(bool isSynchronous)
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
    public async Task A_killed_replica_costs_no_query_an_error()
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
    public async Task A_query_that_its_host_failed_is_tried_again_on_another()
    {
        await using var cluster = await LocalCluster.StartAsync(new LocalClusterOptions { Replicas = [new() { Name = "analytics" }, new() { Name = "background" }] }, Ct);
        await cluster.CreateSchemaAsync();
        await using var router = await cluster.HealthyRouterAsync();
        await using var db = router.Open(npgsql => npgsql.EnableRetryOnFailure(1));
        var analytics = cluster["analytics"].Port;
        for (var i = 0; i < 20; i++)
        {
            // One that ends its own connection on one host: that host stays healthy, and would fail the next attempt as well.
            var port = await db.Database.SqlQuery<int>($"""
                SELECT inet_server_port() AS "Value", CASE WHEN inet_server_port() = {analytics} THEN pg_terminate_backend(pg_backend_pid())::text || pg_sleep(5) END AS ended
                """).RouteTo(DatabaseOperation.Read).ToListAsync(Ct);
            Assert.Equal("background", cluster.NameOf(port.Single()));
        }
    }

    /// <summary>Workers that read, save, save in a transaction of their own, and save with a check of their own; a context each time.</summary>
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
