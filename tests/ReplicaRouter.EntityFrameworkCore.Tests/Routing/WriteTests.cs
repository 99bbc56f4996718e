using System.Transactions;
using Dapper;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;

namespace ReplicaRouter.EntityFrameworkCore.Tests.Routing;

/// <summary>Writes, and everything that belongs to them, go to the primary.</summary>
public class WriteTests(ClusterFixture fixture)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static IQueryable<int> Ports(NotesDb db) => db.Topics.Where(topic => topic.Id == -1).Select(_ => NotesDb.ServerPort());

    private string Who(int port) => fixture.NameOf(port);

    [Theory]
    [InlineData(null)]
    [InlineData("analytics")]
    public async Task Saves_go_to_the_primary_regardless_of_the_stated_route(string? route)
    {
        using var scope = route is null ? null : fixture.Router.BeginRoute(route);
        await using var db = fixture.Open();
        var notes = Enumerable.Range(0, 3).Select(i => new Note { Text = $"saved {i}" }).ToList();
        db.AddRange(notes);
        await db.SaveChangesAsync(Ct);
        Assert.All(notes, note => Assert.Equal("primary", Who(note.Port)));
        notes[0].Text = "changed";
        db.Remove(notes[1]);
        Assert.Equal(2, await db.SaveChangesAsync(Ct));
        Assert.Equal("primary", Who(notes[0].Port));
        db.Add(new Note { Text = "synchronously" });
        Assert.Equal(1, db.SaveChanges());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("analytics")]
    public async Task Bulk_writes_and_raw_SQL_go_to_the_primary_regardless_of_the_stated_route(string? route)
    {
        await using var db = fixture.Open();
        var note = new Note { Text = "for bulk" };
        db.Add(note);
        await db.SaveChangesAsync(Ct);
        using var scope = route is null ? null : fixture.Router.BeginRoute(route);
        var query = db.Notes.Where(other => other.Id == note.Id);
        if (route is not null) query = query.RouteTo(route);
        Assert.Equal(1, await query.ExecuteUpdateAsync(set => set.SetProperty(other => other.Text, "updated"), Ct));
        Assert.Equal(1, query.ExecuteUpdate(set => set.SetProperty(other => other.Text, "updated")));
        Assert.Equal(1, await db.Database.ExecuteSqlAsync($"UPDATE note_table SET text = 'by SQL' WHERE id = {note.Id}", Ct));
        Assert.Equal(1, db.Database.ExecuteSql($"UPDATE note_table SET text = 'by SQL' WHERE id = {note.Id}"));
        Assert.Equal(1, await db.Database.ExecuteSqlRawAsync("UPDATE note_table SET text = 'by raw SQL' WHERE id = {0}", [note.Id], Ct));
        Assert.Equal(1, await query.ExecuteDeleteAsync(Ct));
        Assert.Equal(0, query.ExecuteDelete());
    }

    [Fact]
    public async Task A_transaction_and_everything_in_it_run_on_the_primary()
    {
        await using var db = fixture.Open();
        using var scope = fixture.Router.BeginRoute(DatabaseOperation.Analytics);
        await using (var transaction = await db.Database.BeginTransactionAsync(Ct))
        {
            var note = new Note { Text = "in a transaction" };
            db.Add(note);
            await db.SaveChangesAsync(Ct);
            Assert.Equal("primary", Who(await Ports(db).SingleAsync(Ct)));
            Assert.Equal("primary", Who(await Ports(db).RouteTo(DatabaseOperation.Analytics).SingleAsync(Ct)));
            Assert.True(await db.Notes.AnyAsync(other => other.Id == note.Id, Ct));
            await transaction.RollbackAsync(Ct);
            Assert.False(await db.Notes.FromPrimary().AnyAsync(other => other.Id == note.Id, Ct));
        }

        Assert.Equal("analytics", Who(await Ports(db).SingleAsync(Ct)));
        using (db.Database.BeginTransaction()) Assert.Equal("primary", Who(Ports(db).Single()));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_ambient_transaction_and_everything_in_it_run_on_the_primary(bool isCompleted)
    {
        var id = 0L;
        using (var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
        {
            await using var db = fixture.Open();
            Assert.Equal("primary", Who(await Ports(db).SingleAsync(Ct)));
            var note = new Note { Text = "in a scope" };
            db.Add(note);
            await db.SaveChangesAsync(Ct);
            id = note.Id;
            Assert.True(await db.Notes.AnyAsync(other => other.Id == id, Ct));
            await db.Notes.Where(other => other.Id == id).ExecuteUpdateAsync(set => set.SetProperty(other => other.Text, "changed in a scope"), Ct);
            if (isCompleted) scope.Complete();
        }

        await using var after = fixture.Open();
        Assert.Equal(isCompleted, await after.Notes.FromPrimary().AnyAsync(note => note.Id == id && note.Text == "changed in a scope", Ct));
    }

    [Fact]
    public async Task A_connection_that_is_opened_or_taken_explicitly_goes_to_the_primary()
    {
        await using var db = fixture.Open();
        var connection = db.Database.GetDbConnection();
        await db.Database.OpenConnectionAsync(Ct);
        Assert.Equal("primary", Who(await connection.QuerySingleAsync<int>("SELECT inet_server_port()")));
        Assert.Equal("primary", Who(await Ports(db).SingleAsync(Ct)));
        await db.Database.CloseConnectionAsync();
        // At once if a replica already shows what the context may have written, otherwise as soon as one does.
        await TestExtensions.EventuallyAsync(async () => Who(await Ports(db).SingleAsync(Ct)) != "primary", 5, "read on a replica");

        await connection.OpenAsync(Ct);
        await using var transaction = await connection.BeginTransactionAsync(Ct);
        await db.Database.UseTransactionAsync(transaction, Ct);
        Assert.Equal("primary", Who(await Ports(db).SingleAsync(Ct)));
    }

    [Fact]
    public async Task Contexts_can_share_a_connection_and_its_transaction()
    {
        await using var first = fixture.Open();
        await using var second = fixture.Open();
        await using var transaction = await first.Database.BeginTransactionAsync(Ct);
        var note = new Note { Text = "shared" };
        first.Add(note);
        await first.SaveChangesAsync(Ct);
        second.Database.SetDbConnection(first.Database.GetDbConnection());
        await second.Database.UseTransactionAsync(transaction.GetDbTransaction(), Ct);
        Assert.True(await second.Notes.AnyAsync(other => other.Id == note.Id, Ct));
    }

    [Fact]
    public async Task Migrations_run_on_the_primary()
    {
        await using var db = new MigratedDb(new DbContextOptionsBuilder<MigratedDb>().UseReplicaRouter(fixture.Router).Options);
        using var scope = fixture.Router.BeginRoute(DatabaseOperation.Analytics);
        Assert.Single(await db.Database.GetPendingMigrationsAsync(Ct));
        await db.Database.MigrateAsync(Ct);
        Assert.Equal("primary", Who(await db.Database.SqlQuery<int>($"SELECT port AS \"Value\" FROM migrated").FromPrimary().SingleAsync(Ct)));
        Assert.Empty(db.Database.GetPendingMigrations());
        Assert.True(await db.Database.CanConnectAsync(Ct));
        Assert.False(await db.Database.EnsureCreatedAsync(Ct));
    }

    [Fact]
    public async Task A_command_time_out_set_on_a_context_applies_to_reads_and_writes()
    {
        await using var db = fixture.Open();
        db.Database.SetCommandTimeout(1);
        var slow = await Assert.ThrowsAnyAsync<Exception>(() => db.Database.ExecuteSqlAsync($"SELECT pg_sleep(20)", Ct));
        Assert.Contains("Timeout", slow.ToString(), StringComparison.Ordinal);
        Assert.Equal(1, db.Database.GetCommandTimeout());
        slow = await Assert.ThrowsAnyAsync<Exception>(() => db.Database.SqlQuery<string>($"SELECT pg_sleep(20)::text AS \"Value\"").RouteTo(DatabaseOperation.Read).ToListAsync(Ct));
        Assert.Contains("Timeout", slow.ToString(), StringComparison.Ordinal);
    }
}
