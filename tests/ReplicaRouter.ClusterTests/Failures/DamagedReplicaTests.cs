using Dapper;
using Npgsql;
using ReplicaRouter.Tests;

namespace ReplicaRouter.ClusterTests.Failures;

/// <summary>One of two replicas answers probes but fails statements that the other one answers.</summary>
[Trait("PostgreSQL", "any")]
[Trait("Failure", "B3")]
[Collection(QuietMachine.Name)]
public class DamagedReplicaTests(DamagedCluster damaged)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private async Task<DatabaseRouter> RouterAsync(RecordingLogger? logger = null)
    {
        await damaged.StartAsync();
        var router = DatabaseRouter.Create(damaged.Cluster.Options(), logger);
        await Eventually.Async(() => router.GetHealthStatus().Values.All(host => host.IsHealthy), TimeSpan.FromSeconds(10), "all healthy");
        return router;
    }

    private static async Task<(int Reads, int Errors)> LoadAsync(TimeSpan duration, Func<Task> read)
    {
        var (start, reads, errors) = (TimeProvider.System.GetTimestamp(), 0, 0);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            while (TimeProvider.System.GetElapsedTime(start) < duration)
            {
                try
                {
                    await read();
                }
                catch (PostgresException)
                {
                    Interlocked.Increment(ref errors);
                }

                Interlocked.Increment(ref reads);
                await Task.Delay(1, Ct);
            }
        })));
        return (reads, errors);
    }

    private static double Share(DatabaseRouter router, string host)
    {
        var counts = router.GetMetrics().QueriesByHost;
        return counts.GetValueOrDefault(host)?.GetValueOrDefault("read") / (double)counts.Sum(each => each.Value.GetValueOrDefault("read")) ?? 0;
    }

    [Theory]
    [InlineData("58P01")]
    [InlineData("XX001")]
    [InlineData("53200")]
    [InlineData("42P01")]
    public async Task A_read_that_fails_on_only_one_replica_is_retried_and_takes_that_replica_out(string sqlState)
    {
        using var logger = new RecordingLogger();
        await using var router = await RouterAsync(logger);
        var (reads, errors) = await LoadAsync(TimeSpan.FromSeconds(2), () =>
            router.ExecuteAsync(DatabaseOperation.Read, (connection, _) => connection.ExecuteScalarAsync<long>(DamagedCluster.Read(sqlState)), Ct));

        Assert.Equal(0, errors);
        Assert.InRange(Share(router, "analytics"), 0.0001, 0.2);
        Assert.InRange(router.GetMetrics().Recovery.Retries, 5, reads / 5);
        var health = router.GetHealthStatus()["analytics"];
        Assert.Equal((HostState.Failing, false), (health.State, health.IsHealthy));
        Assert.Contains(sqlState, health.Error, StringComparison.Ordinal);
        Assert.Contains(router.GetMetrics().Transitions, transition => transition is { Host: "analytics", State: HostState.Failing });
        Assert.Contains(logger[217], text => text.Contains("analytics", StringComparison.Ordinal));
        Assert.Contains(router.Engine.Explain(DatabaseOperation.Read, default).Hosts, host => host is { Host: "analytics", Standing: HostStanding.Rejected } && host.Reason.Contains(sqlState, StringComparison.Ordinal));
        // Meanwhile the next group serves its other route.
        Assert.Equal("background", await damaged.Cluster.WhoAsync(router, DatabaseOperation.Analytics));
    }

    [Fact]
    public async Task A_failing_replica_returns_and_is_taken_out_again_at_its_next_failure()
    {
        await using var router = await RouterAsync();
        Task<long> ReadAsync(string sql) => router.ExecuteAsync(DatabaseOperation.Read, (connection, _) => connection.ExecuteScalarAsync<long>(sql), Ct);
        await LoadAsync(TimeSpan.FromSeconds(1), () => ReadAsync(DamagedCluster.Read("53200")));
        Assert.Equal(HostState.Failing, router.GetHealthStatus()["analytics"].State);
        await router.ReachesAsync("analytics", HostState.Healthy, seconds: 15);
        await LoadAsync(TimeSpan.FromSeconds(1), () => ReadAsync("SELECT count(*) FROM well"));
        Assert.Equal(HostState.Healthy, router.GetHealthStatus()["analytics"].State);
        Assert.InRange(Share(router, "analytics"), 0.01, 1);
        var retries = router.GetMetrics().Recovery.Retries;
        await LoadAsync(TimeSpan.FromSeconds(1), () => ReadAsync(DamagedCluster.Read("53200")));
        Assert.Equal(HostState.Failing, router.GetHealthStatus()["analytics"].State);
        // At most one for each of the four concurrent reads.
        Assert.InRange(router.GetMetrics().Recovery.Retries - retries, 1, 4);
    }

    /// <summary>On connections that the application opens, nothing is retried; but a host that fails fast gets no more than its share.</summary>
    [Theory]
    [InlineData("58P01")]
    [InlineData("42P01")]
    public async Task Connections_that_callers_open_go_to_a_failing_host_no_more_than_to_others(string sqlState)
    {
        await using var router = await RouterAsync();
        var (reads, errors) = await LoadAsync(TimeSpan.FromSeconds(2), async () =>
        {
            await using var connection = await router.OpenConnectionAsync(DatabaseOperation.Read, Ct);
            await connection.ExecuteScalarAsync<long>(DamagedCluster.Read(sqlState));
        });

        Assert.InRange(errors, 1, reads * 0.55);
    }

    [Fact]
    public async Task An_error_on_every_host_reaches_the_caller_and_takes_no_host_out()
    {
        await using var router = await RouterAsync();
        for (var i = 0; i < 20; i++)
        {
            var error = await Assert.ThrowsAsync<PostgresException>(() =>
                router.ExecuteAsync(DatabaseOperation.Read, (connection, _) => connection.ExecuteScalarAsync<long>("SELECT count(*) FROM nowhere"), Ct));
            Assert.Equal("42P01", error.SqlState);
        }

        Assert.All(router.GetHealthStatus().Values, host => Assert.Equal(HostState.Healthy, host.State));
    }

    [Fact]
    public async Task Where_no_other_host_can_serve_the_caller_gets_the_error_at_once()
    {
        await using var router = await RouterAsync();
        await router.DrainAsync("background", Ct);
        await router.DrainAsync("primary", Ct);
        var start = TimeProvider.System.GetTimestamp();
        var error = await Assert.ThrowsAsync<PostgresException>(() =>
            router.ExecuteAsync(DatabaseOperation.Read, (connection, _) => connection.ExecuteScalarAsync<long>(DamagedCluster.Read("53200")), Ct));
        Assert.Equal("53200", error.SqlState);
        Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(1));
    }
}
