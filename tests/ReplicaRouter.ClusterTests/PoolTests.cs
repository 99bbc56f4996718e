using Dapper;
using Npgsql;
using ReplicaRouter.Testing;

namespace ReplicaRouter.ClusterTests;

[Trait("PostgreSQL", "any")]
public class PoolTests(ClusterFixture fixture)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Returns a router whose write route has at most <paramref name="limit"/> connections and waits at most a second for one.</summary>
    private DatabaseRouter Router(int limit) => fixture.Cluster.Router(options =>
        options.Routes["write"] = new DatabaseRouteOptions { MaxPoolSize = limit, Wait = TimeSpan.FromSeconds(1), ConnectTimeout = TimeSpan.FromSeconds(1) });

    private static Task<NpgsqlConnection> OpenAsync(DatabaseRouter router) => router.OpenConnectionAsync(DatabaseOperation.Write, Ct).AsTask();

    private static async Task<List<NpgsqlConnection>> OpenAsync(DatabaseRouter router, int count) => [.. await Task.WhenAll(Enumerable.Range(0, count).Select(_ => OpenAsync(router)))];

    private static async Task CloseAsync(IEnumerable<NpgsqlConnection> connections)
    {
        foreach (var connection in connections) await connection.DisposeAsync();
    }

    private static Task<NpgsqlException> FindsNoneAsync(DatabaseRouter router) => Assert.ThrowsAsync<NpgsqlException>(() => OpenAsync(router));

    /// <summary>Npgsql uses the connection that has been idle longest, so steady traffic would keep every connection of a peak in use.</summary>
    [Fact]
    public async Task Connections_opened_by_a_peak_are_closed_while_traffic_goes_on()
    {
        await using var router = fixture.Cluster.Router(options =>
        {
            options.Hosts["primary"].ConnectionString = $"{fixture.Cluster.Primary.ConnectionString};Connection Idle Lifetime=2;Connection Pruning Interval=1";
            options.Routes["write"] = new DatabaseRouteOptions { MaxPoolSize = 20 };
        });
        await CloseAsync(await OpenAsync(router, 20));
        await Eventually.Async(async () =>
        {
            var used = new HashSet<int>();
            for (var i = 0; i < 100; i++)
            {
                await using var connection = await OpenAsync(router);
                used.Add(connection.ProcessID);
            }

            return used.Count <= 2;
        }, TimeSpan.FromSeconds(30), "few connections do the work");
    }

    [Theory]
    [InlineData("", 30, 5)]
    [InlineData("Connection Idle Lifetime=12", 12, 5)]
    [InlineData("Connection Pruning Interval=60", 60, 60)]
    [InlineData("Connection Idle Lifetime=300;Connection Pruning Interval=20", 300, 20)]
    public async Task Idle_connections_close_after_30_s_unless_the_connection_string_says_otherwise(string given, int lifetime, int interval)
    {
        await using var router = fixture.Cluster.Router(options => options.Hosts["primary"].ConnectionString = $"{fixture.Cluster.Primary.ConnectionString};{given}");
        var settings = new NpgsqlConnectionStringBuilder(router.GetClient(DatabaseOperation.Write).ConnectionString);
        Assert.Equal((lifetime, interval), (settings.ConnectionIdleLifetime, settings.ConnectionPruningInterval));
    }

    [Fact]
    public async Task A_crowd_of_short_operations_shares_few_connections()
    {
        await using var router = Router(20);
        var used = new System.Collections.Concurrent.ConcurrentDictionary<int, bool>();
        await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => Task.Run(async () =>
        {
            await using var connection = await OpenAsync(router);
            await connection.ExecuteAsync("SELECT 1");
            used[connection.ProcessID] = true;
        }, Ct)));

        // A login for each caller would have opened all twenty, however soon the first connections were returned.
        Assert.InRange(used.Count, 1, 10);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public async Task There_are_never_more_connections_than_the_limit(int limit)
    {
        await using var router = Router(limit);
        var held = await OpenAsync(router, limit);
        var exhausted = await FindsNoneAsync(router);
        Assert.Contains($"none of the at most {limit} connections of 'write' to", exhausted.Message, StringComparison.Ordinal);
        Assert.Contains("MaxPoolSize", exhausted.Message, StringComparison.Ordinal);
        Assert.Throws<NpgsqlException>(() => router.OpenConnection(DatabaseOperation.Write));

        var waiting = OpenAsync(router);
        Assert.False(waiting.IsCompleted);
        await held[0].DisposeAsync();
        held[0] = await waiting;
        Assert.Equal(limit, held.Select(connection => connection.ProcessID).Distinct().Count());
        await CloseAsync(held);
        Assert.Equal(0, router.GetHealthStatus()["primary"].ConnectionsInUse);
    }

    [Fact]
    [Trait("Failure", "B12")]
    public async Task The_wait_for_a_pooled_connection_is_bounded_like_the_wait_for_a_host()
    {
        await using var router = fixture.Cluster.Router(options => options.Routes["read"] = new DatabaseRouteOptions
        {
            MaxPoolSize = 1,
            Wait = TimeSpan.FromMilliseconds(500),
            Groups = { "background", "analytics" },
        });
        await using var one = await router.OpenConnectionAsync(DatabaseOperation.Read, Ct);
        await using var other = await router.OpenConnectionAsync(DatabaseOperation.Read, Ct);
        foreach (var open in new Func<Task>[] { () => router.OpenConnectionAsync(DatabaseOperation.Read, Ct).AsTask(), () => Task.Run(() => router.OpenConnection(DatabaseOperation.Read), Ct) })
        {
            var startedAt = TimeProvider.System.GetTimestamp();
            await Assert.ThrowsAnyAsync<NpgsqlException>(open);
            Assert.InRange(TimeProvider.System.GetElapsedTime(startedAt).TotalSeconds, 0.4, 4);
        }
    }

    /// <summary>Several times as many operations as two connections can serve, so the queue only grows.</summary>
    [Fact]
    [Trait("Failure", "B12")]
    public async Task Under_overload_excess_operations_are_refused_at_once_and_none_are_afterwards()
    {
        await using var router = Router(2);
        await CloseAsync(await OpenAsync(router, 2));
        var refused = new System.Collections.Concurrent.ConcurrentQueue<TimeSpan>();
        var operations = new List<Task>();
        var startedAt = TimeProvider.System.GetTimestamp();
        while (!refused.Any(took => took < TimeSpan.FromMilliseconds(100)))
        {
            Assert.True(TimeProvider.System.GetElapsedTime(startedAt) < TimeSpan.FromSeconds(20), "no operation was refused at once");
            operations.Add(Task.Run(() => SleepAsync(router, refused), Ct));
            await Task.Delay(2, Ct);
        }

        await Task.WhenAll(operations);
        var before = refused.Count;
        for (var i = 0; i < 10; i++) await SleepAsync(router, refused);
        Assert.Equal(before, refused.Count);
    }

    private static async Task SleepAsync(DatabaseRouter router, System.Collections.Concurrent.ConcurrentQueue<TimeSpan> refused)
    {
        var startedAt = TimeProvider.System.GetTimestamp();
        try
        {
            await router.ExecuteAsync(DatabaseOperation.Write, (connection, _) => connection.ExecuteAsync("SELECT pg_sleep(0.02)"), Ct);
        }
        catch (NpgsqlException exhausted) when (exhausted.Message.Contains("pool has been exhausted", StringComparison.Ordinal))
        {
            if (exhausted.Message.Contains("refused at once", StringComparison.Ordinal)) refused.Enqueue(TimeProvider.System.GetElapsedTime(startedAt));
        }
    }

    /// <summary>Only a few logins run at a time. On a busy machine or to a distant server, queueing for one takes longer than the wait for a host.</summary>
    [Fact]
    [Trait("Failure", "B12")]
    public async Task Queueing_for_a_login_is_bounded_by_the_login_time_out_and_not_by_the_wait()
    {
        await using var proxy = FaultProxy.Start("127.0.0.1", fixture.Cluster.Primary.Port);
        await using var router = fixture.Cluster.Router(options =>
        {
            options.Hosts["primary"].ConnectionString = new NpgsqlConnectionStringBuilder(fixture.Cluster.Primary.ConnectionString) { Port = proxy.Port }.ConnectionString;
            options.Routes["write"] = new DatabaseRouteOptions { MaxPoolSize = 20, Wait = TimeSpan.FromMilliseconds(100) };
        });
        await router.WaitUntilReadyAsync(TimeSpan.FromSeconds(10), Ct);
        proxy.Delay(TimeSpan.FromMilliseconds(30));
        await CloseAsync(await OpenAsync(router, 20));
    }

    [Fact]
    public async Task A_broken_connection_frees_its_slot_once_even_when_closed_twice()
    {
        await using var router = Router(1);
        for (var i = 0; i < 3; i++)
        {
            var connection = await OpenAsync(router);
            await using (var admin = new NpgsqlConnection(fixture.Cluster.Primary.SuperuserConnectionString))
            {
                await admin.ExecuteAsync("SELECT pg_terminate_backend(@pid)", new { pid = connection.ProcessID });
            }

            await Assert.ThrowsAnyAsync<NpgsqlException>(() => connection.ExecuteAsync("SELECT 1"));
            await connection.DisposeAsync();
            await connection.DisposeAsync();
        }

        await using var held = await OpenAsync(router);
        await FindsNoneAsync(router);
    }

    [Fact]
    public async Task A_waiter_that_gives_up_leaks_no_slot()
    {
        await using var router = Router(1);
        await using (await OpenAsync(router))
        {
            using var cancellation = new CancellationTokenSource();
            var cancelled = router.OpenConnectionAsync(DatabaseOperation.Write, cancellation.Token).AsTask();
            await cancellation.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
            await Assert.ThrowsAsync<TimeoutException>(() =>
                router.OpenConnectionAsync(DatabaseOperation.Write, new OperationOptions { Deadline = TimeSpan.FromMilliseconds(50) }, Ct).AsTask());
        }

        await using var next = await OpenAsync(router);
    }

    [Fact]
    public async Task A_synchronous_caller_whose_deadline_passes_in_the_queue_gets_a_TimeoutException()
    {
        await using var router = Router(1);
        await using (await OpenAsync(router))
        {
            Assert.Throws<TimeoutException>(() => router.OpenConnection(DatabaseOperation.Write, new OperationOptions { Deadline = TimeSpan.FromMilliseconds(50) }));
        }

        await using var next = await OpenAsync(router);
    }

    [Fact]
    public async Task A_login_abandoned_by_its_caller_serves_the_next_one()
    {
        await using var proxy = FaultProxy.Start("127.0.0.1", fixture.Cluster.Primary.Port);
        var options = new DatabaseRouterOptions { ApplicationName = "given-up" };
        options.Hosts["primary"] = new DatabaseHostOptions { ConnectionString = new NpgsqlConnectionStringBuilder(fixture.Cluster.Primary.ConnectionString) { Port = proxy.Port }.ConnectionString };
        await using var router = DatabaseRouter.Create(options);
        await router.WaitUntilReadyAsync(TimeSpan.FromSeconds(10), Ct);
        proxy.Delay(TimeSpan.FromMilliseconds(25));
        using (var cancellation = new CancellationTokenSource(TimeSpan.FromMilliseconds(20)))
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => router.OpenConnectionAsync(DatabaseOperation.Write, cancellation.Token).AsTask());
        }

        proxy.Heal();
        await using var admin = new NpgsqlConnection(fixture.Cluster.Primary.SuperuserConnectionString);
        await Eventually.Async(async () => await CountAsync() == 1 && router.GetHealthStatus()["primary"].ConnectionsInUse == 0, TimeSpan.FromSeconds(10), "the login is over");
        await using var next = await OpenAsync(router);
        Assert.Equal(1, await CountAsync());

        Task<int> CountAsync() => admin.ExecuteScalarAsync<int>("SELECT count(*)::int FROM pg_stat_activity WHERE application_name = 'given-up write'");
    }

    [Fact]
    public async Task Failed_logins_leak_no_slots()
    {
        var hasPassword = true;
        var password = new NpgsqlConnectionStringBuilder(fixture.Cluster.Primary.ConnectionString).Password!;
        await using var router = fixture.Cluster.Router(options =>
        {
            options.Routes["write"] = new DatabaseRouteOptions { MaxPoolSize = 2, Wait = TimeSpan.FromMilliseconds(200) };
            options.PasswordProvider = (_, _) => hasPassword ? new(password) : throw new InvalidOperationException("no token");
        });
        await router.WaitUntilReadyAsync(TimeSpan.FromSeconds(10), Ct);
        hasPassword = false;
        for (var i = 0; i < 3; i++)
        {
            await Assert.ThrowsAnyAsync<Exception>(() => OpenAsync(router));
            Assert.ThrowsAny<Exception>(() => router.OpenConnection(DatabaseOperation.Write));
        }

        hasPassword = true;
        await Eventually.Async(async () =>
        {
            try
            {
                await CloseAsync(await OpenAsync(router, 1));
                return true;
            }
            catch (NoEligibleHostException)
            {
                return false;
            }
        }, TimeSpan.FromSeconds(10), "logins work again");
        await CloseAsync(await OpenAsync(router, 2));
    }

    [Fact]
    public async Task Connections_opened_past_the_router_count_against_its_limit()
    {
        await using var router = Router(3);
        await CloseAsync(await OpenAsync(router, 3));
        var client = router.GetClient(DatabaseOperation.Write);
        List<NpgsqlConnection> held = [await client.OpenConnectionAsync(Ct), await OpenAsync(router), await client.OpenConnectionAsync(Ct)];
        await FindsNoneAsync(router);
        await Assert.ThrowsAsync<NpgsqlException>(() => client.OpenConnectionAsync(Ct).AsTask());
        await CloseAsync(held);
        await using var again = await OpenAsync(router);
    }

    [Fact]
    public async Task A_connection_reopened_by_its_caller_counts_too()
    {
        await using var router = Router(2);
        await using var reopened = await OpenAsync(router);
        await reopened.CloseAsync();
        await reopened.OpenAsync(Ct);
        await using var other = await OpenAsync(router);
        await FindsNoneAsync(router);
        await reopened.CloseAsync();
        await using var third = await OpenAsync(router);
    }

    [Fact]
    public async Task A_connection_that_the_router_created_closed_counts_once_it_is_opened()
    {
        await using var router = Router(2);
        await using var made = (NpgsqlConnection)router.GetDataSource(DatabaseOperation.Write).CreateConnection();
        await CloseAsync(await OpenAsync(router, 2));
        await made.OpenAsync(Ct);
        await using var other = await OpenAsync(router);
        await FindsNoneAsync(router);
    }
}
