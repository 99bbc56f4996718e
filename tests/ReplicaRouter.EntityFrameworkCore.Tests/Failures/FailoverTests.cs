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

    [Fact]
    public async Task A_killed_primary_costs_no_read_an_error_and_no_write_is_lost_or_doubled()
    {
        // The successor has every acknowledged commit: what is lost would be lost by us.
        await using var cluster = await LocalCluster.StartAsync(new LocalClusterOptions { Replicas = [new() { Name = "analytics" }, new() { Name = "background", Synchronous = true }] }, Ct);
        await cluster.CreateSchemaAsync();
        await using var router = await cluster.HealthyRouterAsync();
        await using var load = new Load(router);
        await load.IsAtWorkAsync();

        await cluster.Primary.KillAsync(Ct);
        var lostAt = TimeProvider.System.GetTimestamp();
        await Task.Delay(1000, Ct);
        await cluster.PromoteAsync("background", ct: Ct);
        await load.IsAtWorkAsync();
        await load.StopAsync();

        // What was under way when the server died has no answer, and says so. All that came later waited for the new primary.
        Assert.All(load.SaveErrors, error => Assert.IsType<TransactionOutcomeUnknownException>((error.Error as DbUpdateException)?.InnerException ?? error.Error));
        Assert.All(load.SaveErrors, error => Assert.True(error.StartedAt < lostAt, error.Error.ToString()));
        Assert.Empty(load.CheckedErrors);
        Assert.Empty(load.ReadErrors);
        await using var connection = new NpgsqlConnection(cluster.Primary.ConnectionString);
        var there = (await connection.QueryAsync<Guid>("SELECT id FROM token")).ToList();
        Assert.Empty(load.Acknowledged.Except(there));
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
        Assert.Empty(load.CheckedErrors);
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

    /// <summary>Workers that read, save, and save with a check of their own, a context each time.</summary>
    private sealed class Load : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly DatabaseRouter _router;
        private readonly List<Task> _workers;
        private int _read;
        private int _saved;
        private int _checked;

        public Load(DatabaseRouter router)
        {
            _router = router;
            _workers =
            [
                .. Enumerable.Range(0, 3).Select(_ => Task.Run(() => WorkAsync(ReadAsync, ReadErrors))),
                .. Enumerable.Range(0, 2).Select(_ => Task.Run(() => WorkAsync(SaveAsync, SaveErrors))),
                .. Enumerable.Range(0, 2).Select(_ => Task.Run(() => WorkAsync(SaveCheckedAsync, CheckedErrors))),
            ];
        }

        public ConcurrentBag<Guid> Acknowledged { get; } = [];
        public ConcurrentBag<(long StartedAt, Exception Error)> ReadErrors { get; } = [];
        public ConcurrentBag<(long StartedAt, Exception Error)> SaveErrors { get; } = [];
        public ConcurrentBag<(long StartedAt, Exception Error)> CheckedErrors { get; } = [];

        public async Task IsAtWorkAsync()
        {
            var (read, saved, @checked) = (_read + 30, _saved + 10, _checked + 10);
            await TestExtensions.EventuallyAsync(() => _read > read && _saved > saved && _checked > @checked, 30, $"work goes on ({ReadErrors.Count}, {SaveErrors.Count}, {CheckedErrors.Count} errors)");
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

        private async Task WorkAsync(Func<Task> work, ConcurrentBag<(long, Exception)> errors)
        {
            while (!_stop.IsCancellationRequested)
            {
                var startedAt = TimeProvider.System.GetTimestamp();
                try
                {
                    await work();
                }
                catch (Exception e)
                {
                    errors.Add((startedAt, e));
                }

                await Task.Delay(2);
            }
        }

        private NotesDb Open() => _router.Open(npgsql => npgsql.EnableRetryOnFailure());

        private async Task ReadAsync()
        {
            await using var db = Open();
            Assert.Equal("a note", (await db.Notes.SingleAsync(note => note.Id == -1)).Text);
            Interlocked.Increment(ref _read);
        }

        private async Task SaveAsync()
        {
            await using var db = Open();
            var token = new Token { Id = Guid.NewGuid() };
            db.Add(token);
            await db.SaveChangesAsync();
            Acknowledged.Add(token.Id);
            Interlocked.Increment(ref _saved);
        }

        private async Task SaveCheckedAsync()
        {
            await using var db = Open();
            var token = new Token { Id = Guid.NewGuid() };
            db.Add(token);
            await db.Database.CreateExecutionStrategy().ExecuteInTransactionAsync(
                async ct => await db.SaveChangesAsync(acceptAllChangesOnSuccess: false, ct),
                async ct =>
                {
                    await using var check = Open();
                    return await check.Tokens.FromPrimary().AnyAsync(known => known.Id == token.Id, ct);
                });
            Acknowledged.Add(token.Id);
            Interlocked.Increment(ref _checked);
        }
    }
}
