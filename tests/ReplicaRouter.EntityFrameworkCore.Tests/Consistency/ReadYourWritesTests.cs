using System.Transactions;
using Microsoft.EntityFrameworkCore;

namespace ReplicaRouter.EntityFrameworkCore.Tests.ConsistencyTests;

/// <summary>Contexts and sessions see their own writes while replay is paused on all replicas.</summary>
public class ReadYourWritesTests(ClusterFixture fixture)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static async Task<long> SaveAsync(NotesDb db)
    {
        var note = new Note { Text = "to be seen" };
        db.Add(note);
        await db.SaveChangesAsync(Ct);
        return note.Id;
    }

    private static Task<bool> SeesAsync(NotesDb db, long id) => db.Notes.AnyAsync(note => note.Id == id, Ct);

    private async Task<bool> SeesAsync(long id)
    {
        await using var db = fixture.Open();
        return await SeesAsync(db, id);
    }

    [Fact]
    public Task A_context_sees_what_it_saved_and_other_contexts_need_not() => fixture.WithReplayPausedAsync(async () =>
    {
        await using var db = fixture.Open();
        var id = await SaveAsync(db);
        Assert.True(await SeesAsync(db, id));
        Assert.True(db.Notes.Any(note => note.Id == id));
        // Another context does not see it, which shows that the replicas lack it.
        Assert.False(await SeesAsync(id));
    });

    [Theory]
    [InlineData("bulk")]
    [InlineData("sql")]
    [InlineData("query")]
    [InlineData("transaction")]
    [InlineData("scope")]
    [InlineData("connection")]
    public async Task A_context_sees_its_write_however_it_was_made(string way)
    {
        long id;
        await using (var before = fixture.Open()) id = await SaveAsync(before);
        await fixture.WithReplayPausedAsync(async () =>
        {
            await using var db = fixture.Open();
            var text = $"written by {way}";
            switch (way)
            {
                case "bulk":
                    await db.Notes.Where(note => note.Id == id).ExecuteUpdateAsync(set => set.SetProperty(note => note.Text, text), Ct);
                    break;
                case "sql":
                    await db.Database.ExecuteSqlAsync($"UPDATE note_table SET text = {text} WHERE id = {id}", Ct);
                    break;
                case "query":
                    await db.Database.SqlQuery<int>($"SELECT add_note({text}) AS \"Value\"").ToListAsync(Ct);
                    break;
                case "transaction":
                    await using (var transaction = await db.Database.BeginTransactionAsync(Ct))
                    {
                        await db.Database.ExecuteSqlAsync($"UPDATE note_table SET text = {text} WHERE id = {id}", Ct);
                        await transaction.CommitAsync(Ct);
                    }

                    break;
                case "scope":
                    using (var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
                    {
                        await db.Database.ExecuteSqlAsync($"UPDATE note_table SET text = {text} WHERE id = {id}", Ct);
                        scope.Complete();
                    }

                    break;
                case "connection":
                    var connection = db.Database.GetDbConnection();
                    await connection.OpenAsync(Ct);
                    await Dapper.SqlMapper.ExecuteAsync(connection, "UPDATE note_table SET text = @text WHERE id = @id", new { text, id });
                    await connection.CloseAsync();
                    break;
            }

            Assert.True(await db.Notes.AnyAsync(note => note.Text == text, Ct));
            await using var other = fixture.Open();
            Assert.False(await other.Notes.AnyAsync(note => note.Text == text, Ct));
        });
    }

    [Fact]
    public Task In_a_session_other_contexts_see_a_save_too() => fixture.WithReplayPausedAsync(async () =>
    {
        long id;
        string token;
        using (var session = fixture.Router.BeginSession())
        {
            await using (var db = fixture.Open()) id = await SaveAsync(db);
            Assert.True(await SeesAsync(id));
            token = await session.GetTokenAsync(Ct);
        }

        Assert.False(await SeesAsync(id));
        using (fixture.Router.BeginSession(token)) Assert.True(await SeesAsync(id));
    });

    [Fact]
    public Task In_a_session_an_ambient_transaction_is_seen_after_its_context_is_gone() => fixture.WithReplayPausedAsync(async () =>
    {
        using var session = fixture.Router.BeginSession();
        long id;
        using (var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
        {
            await using (var db = fixture.Open()) id = await SaveAsync(db);
            // Positions that probes report now must not count as having seen the commit.
            await Task.Delay(TimeSpan.FromSeconds(1.5), Ct);
            scope.Complete();
        }

        Assert.True(await SeesAsync(id));
    });

    [Fact]
    public Task A_context_sees_what_it_saved_in_a_different_session() => fixture.WithReplayPausedAsync(async () =>
    {
        await using var db = fixture.Open();
        long id;
        using (fixture.Router.BeginSession()) id = await SaveAsync(db);
        Assert.True(await SeesAsync(db, id));
        using (fixture.Router.BeginSession()) Assert.True(await SeesAsync(db, id));
    });

    [Fact]
    public async Task Replicas_that_have_caught_up_serve_a_context_that_wrote()
    {
        await using var db = fixture.Open();
        var id = await SaveAsync(db);
        await fixture.Cluster.WaitForReplicationAsync(Ct);
        await TestExtensions.EventuallyAsync(() => db.Notes.Where(note => note.Id == id).Select(_ => NotesDb.ServerPort()).Single() != fixture.Cluster.Primary.Port, 10, "read on a replica");
    }

    [Fact]
    public Task A_query_with_eventual_consistency_need_not_see_the_save() => fixture.WithReplayPausedAsync(async () =>
    {
        await using var db = fixture.Open();
        var id = await SaveAsync(db);
        Assert.False(await db.Notes.RouteTo(DatabaseOperation.Read, new OperationOptions { Consistency = Consistency.Eventual }).AnyAsync(note => note.Id == id, Ct));
    });
}
