using Dapper;
using Npgsql;
using ReplicaRouter.Testing;

namespace ReplicaRouter.ClusterTests.Failures;

/// <summary>No write is executed twice, and a write that provably was not executed is not lost.</summary>
public class WriteSafetyTests(ClusterFixture fixture)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private LocalCluster Cluster => fixture.Cluster;

    private DatabaseRouter Router() => Cluster.Router(options => options.ApplicationName = $"write safety {Guid.NewGuid():N}");

    private async Task EndAsync(NpgsqlConnection connection)
    {
        await using var admin = new NpgsqlConnection(Cluster.Primary.SuperuserConnectionString);
        await admin.ExecuteAsync("SELECT pg_terminate_backend(@pid)", new { pid = connection.ProcessID });
        await Eventually.Async(async () => await admin.ExecuteScalarAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE pid = @pid", new { pid = connection.ProcessID }) == 0,
            TimeSpan.FromSeconds(5), "ended");
    }

    private static Task<long> CountAsync(DatabaseRouter router, string text) => router.ExecuteAsync(DatabaseOperation.Write,
        (connection, _) => connection.ExecuteScalarAsync<long>("SELECT count(*) FROM note WHERE text = @text", new { text }), Ct);

    [Fact]
    public async Task A_write_whose_first_command_was_refused_is_retried_S18_S25()
    {
        await using var router = Router();
        var runs = 0;
        await router.ExecuteAsync(DatabaseOperation.Write, async (connection, _) =>
        {
            if (runs++ == 0) await EndAsync(connection);
            return await connection.ExecuteAsync("INSERT INTO note (text) VALUES ('first command')");
        }, Ct);
        Assert.Equal((2, 1L), (runs, await CountAsync(router, "first command")));
        Assert.Equal(1, router.GetMetrics().Recovery.WriteRetries);
        Assert.Equal(HostState.Healthy, router.GetHealthStatus()["primary"].State);
    }

    [Fact]
    public async Task A_write_that_has_executed_a_command_is_not_retried_T22_I4()
    {
        await using var router = Router();
        var runs = 0;
        await Assert.ThrowsAsync<PostgresException>(() => router.ExecuteAsync(DatabaseOperation.Write, async (connection, _) =>
        {
            runs++;
            await connection.ExecuteAsync("INSERT INTO note (text) VALUES ('second command')");
            await EndAsync(connection);
            return await connection.ExecuteAsync("INSERT INTO note (text) VALUES ('second command')");
        }, Ct));
        Assert.Equal((1, 1L), (runs, await CountAsync(router, "second command")));
    }

    [Fact]
    public async Task A_write_that_has_copied_rows_in_or_ends_in_a_COPY_is_not_retried()
    {
        await using var router = Router();
        await Assert.ThrowsAsync<PostgresException>(() => router.ExecuteAsync(DatabaseOperation.Write, async (connection, ct) =>
        {
            await CopyAsync(connection, "copied", ct);
            await EndAsync(connection);
            return await connection.ExecuteAsync("INSERT INTO note (text) VALUES ('copied')");
        }, Ct));
        Assert.Equal(1, await CountAsync(router, "copied"));
        await Assert.ThrowsAsync<PostgresException>(() => router.ExecuteAsync(DatabaseOperation.Write, async (connection, ct) =>
        {
            await connection.ExecuteAsync("INSERT INTO note (text) VALUES ('then copied')");
            await EndAsync(connection);
            await CopyAsync(connection, "then copied", ct);
        }, Ct));
        Assert.Equal(1, await CountAsync(router, "then copied"));
    }

    private static async Task CopyAsync(NpgsqlConnection connection, string text, CancellationToken ct)
    {
        await using var import = await connection.BeginBinaryImportAsync("COPY note (text) FROM STDIN (FORMAT binary)", ct);
        await import.StartRowAsync(ct);
        await import.WriteAsync(text, ct);
        await import.CompleteAsync(ct);
    }

    [Fact]
    public async Task A_write_that_disallows_retries_is_not_retried()
    {
        await using var router = Router();
        await Assert.ThrowsAsync<PostgresException>(() => router.ExecuteAsync(DatabaseOperation.Write, async (connection, _) =>
        {
            await EndAsync(connection);
            return await connection.ExecuteAsync("SELECT 1");
        }, new OperationOptions { AllowRetry = false }, Ct));
    }

    [Fact]
    public async Task A_transaction_is_retried_only_if_its_first_command_was_refused_H44()
    {
        await using var router = Router();
        var runs = 0;
        await router.WithTransactionAsync(async (transaction, _) =>
        {
            if (runs++ == 0) await EndAsync(transaction.Connection!);
            await transaction.Connection!.ExecuteAsync("INSERT INTO note (text) VALUES ('in transaction')", transaction: transaction);
        }, Ct);
        Assert.Equal((2, 1L), (runs, await CountAsync(router, "in transaction")));

        runs = 0;
        await Assert.ThrowsAsync<PostgresException>(() => router.WithTransactionAsync(async (transaction, _) =>
        {
            runs++;
            await transaction.Connection!.ExecuteAsync("INSERT INTO note (text) VALUES ('got further')", transaction: transaction);
            await EndAsync(transaction.Connection!);
            await transaction.Connection!.ExecuteAsync("SELECT 1", transaction: transaction);
        }, Ct));
        Assert.Equal((1, 0L), (runs, await CountAsync(router, "got further")));
    }

    /// <summary>The proxy cuts the answer off: the write was executed, but the router can't know.</summary>
    [Fact]
    public async Task A_write_whose_answer_is_lost_has_an_unknown_outcome_and_runs_once_S27_T22()
    {
        await using var proxy = FaultProxy.Start("127.0.0.1", Cluster.Primary.Port);
        await using var router = Cluster.Router(options => options.Hosts["primary"].ConnectionString =
            new NpgsqlConnectionStringBuilder(Cluster.Primary.ConnectionString) { Port = proxy.Port }.ConnectionString);
        await router.WaitUntilReadyAsync(TimeSpan.FromSeconds(10), Ct);
        var error = await Assert.ThrowsAsync<TransactionOutcomeUnknownException>(() => router.ExecuteAsync(DatabaseOperation.Write, (connection, _) =>
        {
            proxy.CutAfter(0, FaultDirection.ToClient);
            return connection.ExecuteAsync("INSERT INTO note (text) VALUES ('cut off')");
        }, Ct));
        proxy.Heal();
        Assert.False(error.IsTransient);
        Assert.Equal(TransactionOutcome.Unknown, await error.ResolveAsync(Ct));
        Assert.Equal(1, await CountAsync(router, "cut off"));
    }

    [Theory]
    [InlineData(true, TransactionOutcome.Committed, 1)]
    [InlineData(false, TransactionOutcome.RolledBack, 0)]
    public async Task The_outcome_of_a_commit_whose_answer_is_lost_can_be_looked_up_S27(bool isLetGo, TransactionOutcome outcome, long rows)
    {
        var table = $"held_{isLetGo}".ToLowerInvariant();
        await using var proxy = FaultProxy.Start("127.0.0.1", Cluster.Primary.Port);
        await using var router = Cluster.Router(options => options.Hosts["primary"].ConnectionString =
            new NpgsqlConnectionStringBuilder(Cluster.Primary.ConnectionString) { Port = proxy.Port }.ConnectionString);
        await using var admin = new NpgsqlConnection(Cluster.Primary.SuperuserConnectionString);
        await router.ExecuteAsync(DatabaseOperation.Write, (connection, _) => connection.ExecuteAsync($"""
            CREATE TABLE {table} (id int);
            CREATE FUNCTION wait_{table}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN NULL; END $$;
            CREATE CONSTRAINT TRIGGER waits AFTER INSERT ON {table} DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait_{table}()
            """), Ct);

        // The deferred trigger runs inside COMMIT, and waits there for the lock that is held here.
        await using var holder = new NpgsqlConnection(Cluster.Primary.ConnectionString);
        await holder.ExecuteAsync("SELECT pg_advisory_lock(4711)");
        var work = router.WithTransactionAsync((transaction, _) => transaction.Connection!.ExecuteAsync($"INSERT INTO {table} VALUES (1)", transaction: transaction), Ct);
        await Eventually.Async(async () => await admin.ExecuteScalarAsync<int?>(Waiting) is not null, TimeSpan.FromSeconds(10), "in its COMMIT");
        proxy.Reset();
        var error = await Assert.ThrowsAsync<TransactionOutcomeUnknownException>(() => work);

        var resolving = error.ResolveAsync(Ct);
        if (isLetGo) await holder.ExecuteAsync("SELECT pg_advisory_unlock(4711)");
        else await admin.ExecuteAsync($"SELECT pg_terminate_backend(({Waiting}))");
        Assert.Equal(outcome, await resolving);
        Assert.Equal(rows, await holder.ExecuteScalarAsync<long>($"SELECT count(*) FROM {table}"));
    }

    private const string Waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'advisory' AND query = 'COMMIT'";

    [Fact]
    public async Task A_transaction_whose_backend_ends_in_COMMIT_is_found_to_be_rolled_back()
    {
        await using var router = Router();
        var error = await Assert.ThrowsAsync<TransactionOutcomeUnknownException>(() => router.WithTransactionAsync((transaction, _) => transaction.Connection!.ExecuteAsync("""
            CREATE TABLE doomed_too (id int);
            CREATE FUNCTION die_too() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
            CREATE CONSTRAINT TRIGGER dies AFTER INSERT ON doomed_too DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die_too();
            INSERT INTO doomed_too VALUES (1)
            """), Ct));
        Assert.Equal(TransactionOutcome.RolledBack, await error.ResolveAsync(Ct));
    }

    [Fact]
    public async Task A_write_on_a_read_connection_never_moves_to_the_primary_T17_H28_H29()
    {
        await using var router = Router();
        var error = await Assert.ThrowsAsync<PostgresException>(() => router.ExecuteAsync(DatabaseOperation.Read, (connection, _) => connection.ExecuteAsync("INSERT INTO note (text) VALUES ('by a read')"), Ct));
        Assert.Equal(PostgresErrorCodes.ReadOnlySqlTransaction, error.SqlState);
        Assert.Equal(0, await CountAsync(router, "by a read"));
    }

    [Fact]
    public async Task Statements_that_Npgsql_auto_prepares_work_on_every_host_T18()
    {
        await using var router = Cluster.Router(options => options.ConfigureDataSource = builder =>
        {
            builder.ConnectionStringBuilder.MaxAutoPrepare = 20;
            builder.ConnectionStringBuilder.AutoPrepareMinUsages = 2;
        });
        // Just after a router's start, one replica can serve all reads: the others are not probed yet, or their first connections are slow.
        var reads = new Dictionary<string, int>();
        await Eventually.Async(async () =>
        {
            var server = await Cluster.WhoAsync(router, DatabaseOperation.Read);
            reads[server] = reads.GetValueOrDefault(server) + 1;
            return reads.Count > 1 && reads.Values.All(count => count > 10);
        }, TimeSpan.FromSeconds(20), "several replicas have served prepared statements");
    }

    [Fact]
    [Trait("Failure", "B11")]
    public async Task Only_work_whose_answer_was_lost_is_abandoned_once_its_server_is_reached_again()
    {
        await using var cluster = await FailureCluster.StartAsync("analytics");
        await using var proxy = FaultProxy.Start("127.0.0.1", cluster.Primary.Port);
        await using var direct = cluster.Router();
        await using var router = await cluster.HealthyRouterAsync(options =>
            options.Hosts["primary"].ConnectionString = new NpgsqlConnectionStringBuilder(cluster.Primary.ConnectionString) { Port = proxy.Port }.ConnectionString);
        await direct.ExecuteAsync(DatabaseOperation.Write, (connection, _) => connection.ExecuteAsync("CREATE TABLE held (n int); INSERT INTO held VALUES (1)"), Ct);
        var (begun, cut) = (new TaskCompletionSource(), new TaskCompletionSource());
        var startedAt = 0L;
        var lost = router.WithTransactionAsync(async (transaction, ct) =>
        {
            await transaction.Connection!.ExecuteAsync("UPDATE held SET n = 2");
            begun.SetResult();
            await cut.Task;
            await transaction.Connection!.ExecuteAsync(new CommandDefinition("SELECT 1", cancellationToken: ct));
            return true;
        }, Ct);
        await begun.Task.WaitAsync(TimeSpan.FromSeconds(10), Ct);
        proxy.ForgetIdle(TimeSpan.Zero);
        startedAt = TimeProvider.System.GetTimestamp();
        cut.SetResult();
        // This work starts after the cut and runs on the server. It gets the same alarm, but must not be abandoned.
        var goesOn = router.ExecuteAsync(DatabaseOperation.Write, (connection, ct) => connection.ExecuteScalarAsync<int>(new CommandDefinition("SELECT 1 FROM pg_sleep(5)", cancellationToken: ct)), Ct);
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => lost.WaitAsync(TimeSpan.FromSeconds(20), Ct));
        Assert.True(TimeProvider.System.GetElapsedTime(startedAt) < TimeSpan.FromSeconds(10), "given up soon");
        // The abandoned work has released its lock.
        Assert.Equal(1, await direct.ExecuteAsync(DatabaseOperation.Write, (connection, _) => connection.ExecuteAsync(new CommandDefinition("UPDATE held SET n = 3", commandTimeout: 5)), Ct));
        Assert.Equal(1, await goesOn.WaitAsync(TimeSpan.FromSeconds(20), Ct));
    }
}
