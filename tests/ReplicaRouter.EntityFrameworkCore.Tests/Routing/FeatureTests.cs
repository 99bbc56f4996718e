using System.Data.Common;
using Dapper;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using NodaTime;
using Npgsql;
using ReplicaRouter.Checks;

namespace ReplicaRouter.EntityFrameworkCore.Tests.Routing;

/// <summary>Other features of Entity Framework that applications use keep working.</summary>
public class FeatureTests(ClusterFixture fixture)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_tracked_entity_is_one_object_and_is_saved_once()
    {
        await using var db = fixture.Open();
        var topic = new Topic { Name = "tracked" };
        topic.Notes.Add(new Note { Text = "child" });
        db.Add(topic);
        Assert.Equal(2, await db.SaveChangesAsync(Ct));
        Assert.Same(topic, await db.Topics.SingleAsync(other => other.Id == topic.Id, Ct));
        Assert.Same(topic, await db.Topics.FindAsync([topic.Id], Ct));
        topic.Name = "changed";
        Assert.Equal(1, await db.SaveChangesAsync(Ct));
        Assert.Equal("changed", (await db.Topics.AsNoTracking().SingleAsync(other => other.Id == topic.Id, Ct)).Name);
        await db.Entry(topic).ReloadAsync(Ct);
        Assert.Equal(EntityState.Unchanged, db.Entry(topic).State);
    }

    [Fact]
    public void The_command_timeout_of_the_options_applies_to_reused_contexts_too()
    {
        var options = new DbContextOptionsBuilder<NotesDb>().UseReplicaRouter(fixture.Router, npgsql => npgsql.CommandTimeout(7)).Options;
        var others = new DbContextOptionsBuilder<NotesDb>(options).UseNpgsql(npgsql => npgsql.CommandTimeout(9)).Options;
        var pool = new PooledDbContextFactory<NotesDb>(options, poolSize: 1);
        for (var i = 0; i < 2; i++)
        {
            using var db = pool.CreateDbContext();
            using var other = new NotesDb(others);
            Assert.Equal(9, other.Database.GetCommandTimeout());
            Assert.Equal(7, db.Database.GetCommandTimeout());
            db.Database.SetCommandTimeout(1);
        }
    }

    [Fact]
    public async Task Other_interceptors_see_the_real_connection_of_each_command()
    {
        var watcher = new Watcher();
        await using var db = fixture.Open(configure: options => options.AddInterceptors(watcher));
        var queried = await db.Notes.SingleAsync(note => note.Id == -1, Ct);
        var saved = new Note { Text = "watched" };
        db.Add(saved);
        await db.SaveChangesAsync(Ct);
        await db.Notes.Where(note => note.Id == saved.Id).ExecuteDeleteAsync(Ct);
        Assert.Equal([queried.Port, saved.Port, fixture.Cluster.Primary.Port], watcher.Ports);
        Assert.True(watcher.Opened >= 3);
        Assert.Equal(watcher.Opened, watcher.Closed);
    }

    [Fact]
    public async Task NodaTime_and_JSON_mappings_work_on_replicas_and_on_the_primary()
    {
        await using var db = new EventsDb(new DbContextOptionsBuilder<EventsDb>().UseReplicaRouter(fixture.Router, npgsql => npgsql.UseNodaTime()).Options);
        await db.Database.ExecuteSqlAsync($"CREATE TABLE event (\"Id\" uuid PRIMARY KEY, \"At\" timestamptz NOT NULL, \"Details\" jsonb NOT NULL)", Ct);
        var saved = new Occurrence { Id = Guid.NewGuid(), At = Instant.FromUtc(2026, 1, 2, 3, 4), Details = new Details { Place = "Berlin", Tags = ["a", "b"] } };
        db.Add(saved);
        await db.SaveChangesAsync(Ct);
        await fixture.Cluster.WaitForReplicationAsync(Ct);
        var read = await db.Events.AsNoTracking().Where(known => known.At < Instant.FromUtc(2027, 1, 1, 0, 0) && known.Details.Place == "Berlin").SingleAsync(Ct);
        Assert.Equal((saved.At, "Berlin", 2), (read.At, read.Details.Place, read.Details.Tags.Count));
    }

    [Fact]
    public async Task Tables_are_created_in_an_empty_database_and_dropped_with_it()
    {
        await using (var superuser = new NpgsqlConnection(fixture.Cluster.Primary.SuperuserConnectionString))
        {
            await superuser.ExecuteAsync("CREATE DATABASE empty");
            await superuser.ExecuteAsync($"ALTER DATABASE empty OWNER TO {new NpgsqlConnectionStringBuilder(fixture.Cluster.Primary.ConnectionString).Username}");
        }

        await fixture.Cluster.WaitForReplicationAsync(Ct);
        var options = fixture.Cluster.RouterOptions();
        foreach (var server in fixture.Cluster.Servers) options.Hosts[server.Name].ConnectionString = new NpgsqlConnectionStringBuilder(server.ConnectionString) { Database = "empty" }.ConnectionString;
        await using var router = DatabaseRouter.Create(options);
        await using var db = new EventsDb(new DbContextOptionsBuilder<EventsDb>().UseReplicaRouter(router, npgsql => npgsql.UseNodaTime()).Options);
        Assert.True(await db.Database.CanConnectAsync(Ct));
        Assert.True(await db.Database.EnsureCreatedAsync(Ct));
        Assert.False(db.Database.EnsureCreated());
        Assert.Equal(0, await db.Events.FromPrimary().CountAsync(Ct));
        Assert.Contains("CREATE TABLE", db.Database.GenerateCreateScript(), StringComparison.Ordinal);
        Assert.True(await db.Database.EnsureDeletedAsync(Ct));
        await using (var superuser = new NpgsqlConnection(fixture.Cluster.Primary.SuperuserConnectionString))
            Assert.Equal(0, await superuser.ExecuteScalarAsync<long>("SELECT count(*) FROM pg_database WHERE datname = 'empty'"));
    }

    private sealed class Watcher : DbCommandInterceptor, IDbConnectionInterceptor
    {
        public List<int> Ports { get; } = [];
        public int Opened { get; private set; }
        public int Closed { get; private set; }

        public override ValueTask<DbDataReader> ReaderExecutedAsync(DbCommand command, CommandExecutedEventData eventData, DbDataReader result, CancellationToken cancellationToken = default)
        {
            Note(command);
            return new(result);
        }

        public override ValueTask<int> NonQueryExecutedAsync(DbCommand command, CommandExecutedEventData eventData, int result, CancellationToken cancellationToken = default)
        {
            Note(command);
            return new(result);
        }

        public Task ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
        {
            Assert.Equal(System.Data.ConnectionState.Open, connection.State);
            Opened++;
            return Task.CompletedTask;
        }

        public Task ConnectionClosedAsync(DbConnection connection, ConnectionEndEventData eventData)
        {
            Closed++;
            return Task.CompletedTask;
        }

        private void Note(DbCommand command) => Ports.Add(((NpgsqlConnection)command.Connection!).Port);
    }

    public class EventsDb(DbContextOptions<EventsDb> options) : DbContext(options)
    {
        public DbSet<Occurrence> Events => Set<Occurrence>();

        protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.Entity<Occurrence>(entity => entity.ToTable("event").OwnsOne(e => e.Details, details => details.ToJson()));
    }

    public class Occurrence
    {
        public Guid Id { get; set; }
        public Instant At { get; set; }
        public required Details Details { get; set; }
    }

    public class Details
    {
        public required string Place { get; set; }
        public List<string> Tags { get; set; } = [];
    }
}
