using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure;
using ReplicaRouter.Checks;
using ReplicaRouter.Testing;

namespace ReplicaRouter.EntityFrameworkCore.Tests.Failures;

/// <summary>A write whose answer is lost. With retries on failure it must neither be applied twice nor be reported as applied when it was not.</summary>
public sealed class UnknownOutcomeTests(ClusterFixture fixture) : IAsyncLifetime
{
    // Sleeps leave time to cut the connection after the server has begun and before it answers.
    private const string Slow = """
        CREATE OR REPLACE FUNCTION slow_token() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.5); RETURN NULL; END $$;
        CREATE TABLE IF NOT EXISTS slow_token (id uuid, writes int NOT NULL DEFAULT 1);
        CREATE OR REPLACE TRIGGER slow AFTER INSERT OR UPDATE ON slow_token FOR EACH STATEMENT EXECUTE FUNCTION slow_token();
        CREATE TABLE IF NOT EXISTS slow_commit (id uuid, writes int NOT NULL DEFAULT 1);
        CREATE OR REPLACE FUNCTION slow_check() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.5); RETURN NULL; END $$;
        DROP TRIGGER IF EXISTS slow ON slow_commit;
        CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON slow_commit DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow_check();
        CREATE TABLE IF NOT EXISTS held_commit (id uuid);
        CREATE OR REPLACE FUNCTION held_check() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN NULL; END $$;
        DROP TRIGGER IF EXISTS held ON held_commit;
        CREATE CONSTRAINT TRIGGER held AFTER INSERT ON held_commit DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION held_check();
        """;

    private readonly Guid _id = Guid.NewGuid();
    private FaultProxy _proxy = null!;
    private DatabaseRouter _router = null!;
    private int _runs;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await using (var db = fixture.Open()) await db.Database.ExecuteSqlRawAsync(Slow, Ct);
        _proxy = FaultProxy.Start("127.0.0.1", fixture.Cluster.Primary.Port);
        _router = await StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _router.DisposeAsync();
        await _proxy.DisposeAsync();
    }

    /// <summary>Starts a router that reaches the primary through the proxy.</summary>
    private async Task<DatabaseRouter> StartAsync(Action<DatabaseRouterOptions>? configure = null)
    {
        var options = fixture.Cluster.RouterOptions();
        options.Hosts["primary"].ConnectionString = new NpgsqlConnectionStringBuilder(fixture.Cluster.Primary.ConnectionString) { Port = _proxy.Port }.ConnectionString;
        configure?.Invoke(options);
        var router = DatabaseRouter.Create(options);
        await router.WaitUntilReadyAsync(Ct);
        return router;
    }

    private SlowDb Open() => Open(_router, npgsql => npgsql.EnableRetryOnFailure());

    private static SlowDb Open(DatabaseRouter router, Action<NpgsqlDbContextOptionsBuilder>? npgsql = null) => new(new DbContextOptionsBuilder<SlowDb>().UseReplicaRouter(router, npgsql).Options);

    private SlowDb OpenPlain() => new(new DbContextOptionsBuilder<SlowDb>()
        .UseNpgsql(new NpgsqlConnectionStringBuilder(fixture.Cluster.Primary.ConnectionString) { Port = _proxy.Port }.ConnectionString, npgsql => npgsql.EnableRetryOnFailure()).Options);

    /// <summary>Cuts all connections while the server executes the write.</summary>
    private Task<T> CutAsync<T>(Func<Task<T>> write) => CutAsync(write, isEnded: false);

    /// <param name="write">The write that the server must be executing.</param>
    /// <param name="isEnded">Whether the backend is terminated, too, instead of going on without a client.</param>
    private async Task<T> CutAsync<T>(Func<Task<T>> write, bool isEnded)
    {
        var writing = Task.Run(write, Ct);
        await using var observer = NpgsqlDataSource.Create(fixture.Cluster.Primary.SuperuserConnectionString);
        var isAtIt = false;
        await TestExtensions.EventuallyAsync(() =>
        {
            using var command = observer.CreateCommand("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
            return isAtIt = (long)command.ExecuteScalar()! > 0;
        }, 10, "under way");
        Assert.True(isAtIt);
        _proxy.Reset();
        if (isEnded)
        {
            await using var end = observer.CreateCommand("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
            Assert.Equal(true, await end.ExecuteScalarAsync(Ct));
        }

        return await writing;
    }

    /// <summary>Returns how often the token was written.</summary>
    private async Task<long> CountAsync(string table, long atLeast = 1)
    {
        await using var source = NpgsqlDataSource.Create(fixture.Cluster.Primary.ConnectionString);
        await using var command = source.CreateCommand($"SELECT coalesce(sum(writes), 0) FROM {table} WHERE id = '{_id}'");
        var count = 0L;
        // The server goes on without a client.
        await TestExtensions.EventuallyAsync(() => (count = (long)command.ExecuteScalar()!) >= atLeast, 10, "committed");
        await Task.Delay(TimeSpan.FromSeconds(1), Ct);
        return Math.Max(count, (long)command.ExecuteScalar()!);
    }

    [Fact]
    public async Task Without_retries_a_save_whose_answer_is_lost_has_an_unknown_outcome()
    {
        await using var db = Open(_router);
        db.Add(new SlowToken { Id = _id });
        var error = await Assert.ThrowsAsync<DbUpdateException>(() => CutAsync(() => db.SaveChangesAsync(Ct)));
        var unknown = Assert.IsType<TransactionOutcomeUnknownException>(error.InnerException);
        Assert.False(unknown.IsTransient);
        Assert.Equal(1, await CountAsync("slow_token"));
    }

    [Fact]
    public async Task A_save_that_is_cut_off_in_its_statement_is_retried_and_written_once()
    {
        await using var db = Open();
        db.Add(new SlowToken { Id = _id });
        await CutAsync(() => db.SaveChangesAsync(Ct));
        Assert.Equal(1, await CountAsync("slow_token"));
        Assert.Equal(AutoTransactionBehavior.WhenNeeded, db.Database.AutoTransactionBehavior);
    }

    /// <summary>The outcome of the COMMIT is looked up: the caller sees neither an error nor a second row.</summary>
    [Theory]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(false, true)]
    public async Task A_save_whose_COMMIT_is_cut_off_is_written_once(bool isAsync, bool isEnded)
    {
        await using var db = Open();
        db.Add(new SlowCommit { Id = _id });
        await CutAsync(async () => isAsync ? await db.SaveChangesAsync(Ct) : db.SaveChanges(), isEnded);
        Assert.Equal(1, await CountAsync("slow_commit"));
        Assert.Equal(EntityState.Unchanged, db.ChangeTracker.Entries().Single().State);
        Assert.Null(db.Database.CurrentTransaction);
    }

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 2)]
    public async Task A_transaction_in_a_strategy_whose_COMMIT_is_cut_off_is_written_once(bool isEnded, int runs)
    {
        await using var db = Open();
        await CutAsync(() => InTransactionAsync(db), isEnded);
        Assert.Equal(runs, _runs);
        Assert.Equal(1, await CountAsync("slow_commit"));
    }

    [Fact]
    public async Task A_transaction_on_a_named_route_whose_COMMIT_is_cut_off_is_written_once()
    {
        await using var router = await StartAsync(options => options.Routes["ledger"] = new DatabaseRouteOptions { Groups = { "primary" } });
        await using var services = new ServiceCollection().AddSingleton(router).AddRoutedDbContext<SlowDb>(npgsql => npgsql.EnableRetryOnFailure()).BuildServiceProvider();
        await using var db = services.GetRequiredService<IRoutedDbContextFactory<SlowDb>>().CreateDbContext("ledger");
        await CutAsync(() => InTransactionAsync(db));
        Assert.Equal(1, _runs);
        Assert.Equal(1, await CountAsync("slow_commit"));
    }

    /// <summary>Nothing proves that the transaction's id was not reused.</summary>
    [Fact]
    public async Task Where_positions_cannot_be_used_the_outcome_stays_unknown()
    {
        await using var router = await StartAsync(options => options.SessionWindow = TimeSpan.FromSeconds(2));
        await using var db = Open(router, npgsql => npgsql.EnableRetryOnFailure());
        await Assert.ThrowsAsync<TransactionOutcomeUnknownException>(() => CutAsync(() => InTransactionAsync(db)));
        Assert.Equal(1, _runs);
        Assert.Equal(1, await CountAsync("slow_commit"));
    }

    /// <summary>A commit after the cut binds the reads that follow: a position from the time of the cut would let them go to replicas that lack it.</summary>
    [Fact]
    public async Task A_save_that_is_found_to_be_committed_is_seen_by_later_reads()
    {
        await using var db = Open();
        await using var holder = new NpgsqlConnection(fixture.Cluster.Primary.ConnectionString);
        await holder.OpenAsync(Ct);
        await using (var hold = new NpgsqlCommand("SELECT pg_advisory_lock(4711)", holder)) await hold.ExecuteNonQueryAsync(Ct);
        db.Add(new HeldCommit { Id = _id });
        var saving = Task.Run(() => db.SaveChangesAsync(Ct), Ct);
        await using var observer = NpgsqlDataSource.Create(fixture.Cluster.Primary.SuperuserConnectionString);
        await using var waiting = observer.CreateCommand("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory'");
        await TestExtensions.EventuallyAsync(() => (long)waiting.ExecuteScalar()! > 0, 10, "in its COMMIT");
        // Another transaction's commit flushes the WAL so far, so that the replicas get it.
        await using (var commit = observer.CreateCommand("SELECT pg_logical_emit_message(true, 'a commit', '')")) await commit.ExecuteNonQueryAsync(Ct);
        _proxy.Reset();
        var cutAt = DateTimeOffset.UtcNow;
        await TestExtensions.EventuallyAsync(() => _router.GetMetrics().LastHealthCheck > cutAt, 10, "probed");

        await fixture.WithReplayPausedAsync(async () =>
        {
            await using (var release = new NpgsqlCommand("SELECT pg_advisory_unlock(4711)", holder)) await release.ExecuteNonQueryAsync(Ct);
            await saving;
            Assert.Equal(1, await db.HeldCommits.CountAsync(commit => commit.Id == _id, Ct));
        });
    }

    [Fact]
    public async Task A_transaction_that_swallowed_an_error_is_not_reported_as_committed()
    {
        await using var db = Open();
        var error = await Assert.ThrowsAsync<PostgresException>(() => db.Database.CreateExecutionStrategy().ExecuteAsync(async () =>
        {
            await using var transaction = await db.Database.BeginTransactionAsync(Ct);
            await Assert.ThrowsAsync<PostgresException>(() => db.Database.ExecuteSqlAsync($"SELECT 1 / 0", Ct));
            await transaction.CommitAsync(Ct);
        }));
        Assert.Equal(PostgresErrorCodes.InFailedSqlTransaction, error.SqlState);
    }

    [Fact]
    public async Task The_provider_s_own_retry_writes_a_save_twice()
    {
        await using var db = OpenPlain();
        db.Add(new SlowToken { Id = _id });
        await CutAsync(() => db.SaveChangesAsync(Ct));
        Assert.Equal(2, await CountAsync("slow_token"));
    }

    [Theory]
    [InlineData("sql")]
    [InlineData("query")]
    public async Task Raw_SQL_that_is_cut_off_is_not_retried(string way)
    {
        await using var db = Open();
        await Assert.ThrowsAsync<TransactionOutcomeUnknownException>(() => CutAsync(async () => way == "sql"
            ? await db.Database.ExecuteSqlAsync($"INSERT INTO slow_token VALUES ({_id})", Ct)
            : (await db.Database.SqlQuery<Guid>($"INSERT INTO slow_token VALUES ({_id}) RETURNING id").ToListAsync(Ct)).Count));
        Assert.Equal(1, await CountAsync("slow_token"));
    }

    [Fact]
    public async Task A_bulk_write_that_is_cut_off_is_not_retried()
    {
        await using var db = Open();
        await db.Database.ExecuteSqlAsync($"INSERT INTO slow_token VALUES ({_id})", Ct);
        await Assert.ThrowsAsync<TransactionOutcomeUnknownException>(() => CutAsync(() =>
            db.Tokens.Where(token => token.Id == _id).ExecuteUpdateAsync(set => set.SetProperty(token => token.Writes, token => token.Writes + 1), Ct)));
        Assert.Equal(2, await CountAsync("slow_token", atLeast: 2));
    }

    [Fact]
    public async Task The_caller_s_own_check_decides_where_the_outcome_cannot_be_looked_up()
    {
        await using var router = await StartAsync(options => options.SessionWindow = TimeSpan.FromSeconds(2));
        await using var db = Open(router, npgsql => npgsql.EnableRetryOnFailure());
        var checks = 0;
        var strategy = db.Database.CreateExecutionStrategy();
        await CutAsync(async () =>
        {
            await strategy.ExecuteInTransactionAsync(
                ct => db.Database.ExecuteSqlAsync($"INSERT INTO slow_commit VALUES ({_id})", ct),
                async ct =>
                {
                    checks++;
                    await TestExtensions.EventuallyAsync(() => db.Database.SqlQuery<Guid>($"SELECT id AS \"Value\" FROM slow_commit").Any(id => id == _id), 5, "committed");
                    return true;
                }, Ct);
            return true;
        });
        Assert.Equal(1, checks);
        Assert.Equal(1, await CountAsync("slow_commit"));
    }

    [Fact]
    public async Task A_transaction_that_provably_was_not_committed_is_retried()
    {
        await using var db = Open();
        var runs = 0;
        var strategy = db.Database.CreateExecutionStrategy();
        await CutAsync(() => strategy.ExecuteAsync(async () =>
        {
            await using var transaction = await db.Database.BeginTransactionAsync(Ct);
            if (runs++ == 0) await db.Database.ExecuteSqlAsync($"INSERT INTO slow_token VALUES ({_id})", Ct);
            else await db.Database.ExecuteSqlAsync($"INSERT INTO slow_commit VALUES ({_id})", Ct);
            await transaction.CommitAsync(Ct);
            return true;
        }));
        Assert.Equal(2, runs);
        Assert.Equal(1, await CountAsync("slow_commit"));
        await using var source = NpgsqlDataSource.Create(fixture.Cluster.Primary.ConnectionString);
        await using var command = source.CreateCommand($"SELECT count(*) FROM slow_token WHERE id = '{_id}'");
        Assert.Equal(0L, await command.ExecuteScalarAsync(Ct));
    }

    private Task<bool> InTransactionAsync(SlowDb db) => db.Database.CreateExecutionStrategy().ExecuteAsync(async () =>
    {
        _runs++;
        await using var transaction = await db.Database.BeginTransactionAsync(Ct);
        await db.Database.ExecuteSqlAsync($"INSERT INTO slow_commit VALUES ({_id})", Ct);
        await transaction.CommitAsync(Ct);
        return true;
    });

    public class SlowDb(DbContextOptions<SlowDb> options) : DbContext(options)
    {
        public DbSet<SlowToken> Tokens => Set<SlowToken>();
        public DbSet<HeldCommit> HeldCommits => Set<HeldCommit>();

        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            modelBuilder.Entity<SlowToken>(token =>
            {
                token.ToTable("slow_token");
                token.Property(t => t.Id).HasColumnName("id").ValueGeneratedNever();
                token.Property(t => t.Writes).HasColumnName("writes");
            });
            modelBuilder.Entity<SlowCommit>(commit =>
            {
                commit.ToTable("slow_commit");
                commit.Property(c => c.Id).HasColumnName("id").ValueGeneratedNever();
            });
            modelBuilder.Entity<HeldCommit>(commit =>
            {
                commit.ToTable("held_commit");
                commit.Property(c => c.Id).HasColumnName("id").ValueGeneratedNever();
            });
        }
    }

    /// <summary>A row whose INSERT is fast and whose COMMIT is slow.</summary>
    public class SlowCommit
    {
        public Guid Id { get; set; }
    }

    /// <summary>A row whose COMMIT waits until a lock is released.</summary>
    public class HeldCommit
    {
        public Guid Id { get; set; }
    }

    public class SlowToken
    {
        public Guid Id { get; set; }
        public int Writes { get; set; } = 1;
    }
}
