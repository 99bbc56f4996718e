using Dapper;
using Npgsql;

namespace ReplicaRouter.ClusterTests.Idle;

/// <summary>Connections that ended while idle cause no caller an error.</summary>
[Trait("PostgreSQL", "any")]
public sealed class IdleConnectionTests(IdleCluster idle, ITestOutputHelper output) : IClassFixture<IdleCluster>
{
    /// <summary>Quiet times per end. By default each kind of operation comes first after one quiet time; REPLICAROUTER_QUIET_TIMES=100 runs the whole matrix.</summary>
    private static readonly int s_quietTimes = int.TryParse(Environment.GetEnvironmentVariable("REPLICAROUTER_QUIET_TIMES"), out var times) ? times : 10;

    /// <summary>An operation can need an extra login, or a check of its connection that takes about as long. The rest is a margin for a busy machine.</summary>
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(5);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [Trait("Failure", "B1")]
    [InlineData(IdleEnd.Server)]
    [InlineData(IdleEnd.Fin)]
    [InlineData(IdleEnd.Rst)]
    [InlineData(IdleEnd.Silence)]
    public async Task Connections_that_ended_while_idle_fail_no_operation(IdleEnd end)
    {
        // Routers of one, two, three and five replicas share the quiet times.
        var routers = new List<DatabaseRouter>();
        try
        {
            foreach (var replicas in new[] { 1, 2, 3, 5 }) routers.Add(await idle.RouterAsync(replicas, end));
            var all = routers.Select(router => new IdleOperations(router)).ToList();
            foreach (var operations in all) await operations.BurstAsync();
            var runs = all.Select(_ => new QuietRun()).ToList();
            for (var time = 0; time < s_quietTimes; time++)
            {
                await idle.BeQuietAsync(end);
                foreach (var (operations, run) in all.Zip(runs)) await run.OperateAsync(operations, time);
            }

            foreach (var (router, operations, run) in routers.Zip(all, runs)) await AssertUnharmedAsync(router, operations, run, end);
        }
        finally
        {
            foreach (var router in routers) await router.DisposeAsync();
        }
    }

    private async Task AssertUnharmedAsync(DatabaseRouter router, IdleOperations operations, QuietRun run, IdleEnd end)
    {
        output.WriteLine($"{end}, {router.GetHealthStatus().Count - 1} replicas: {s_quietTimes} quiet times, {s_quietTimes * operations.All.Count} operations, {run.Errors.Count} errors; "
            + $"the first operation took {run.MedianMs:0} ms (median), at most {run.Longest.Took.TotalMilliseconds:0} ms ({run.Longest.Operation}); "
            + $"a login takes up to {(await idle.LoginTimeAsync()).TotalMilliseconds:0} ms");
        Assert.True(run.Errors.Count == 0, string.Join('\n', run.Errors));
        Assert.True(run.Longest.Took < s_bound, $"{run.Longest}");
        await AssertWrittenOnceAsync(operations);
        // Other states are possible: a machine that is busy for half a second looks like a hung host, and the firewall also drops probes.
        Assert.DoesNotContain(router.GetMetrics().Transitions, transition => transition.State == HostState.Down);
        Assert.Equal((0, 0), (router.GetMetrics().Recovery.Retries, router.GetMetrics().Recovery.RetriesRefused));
    }

    private async Task AssertWrittenOnceAsync(IdleOperations operations)
    {
        await using var connection = new NpgsqlConnection(idle.Cluster.Primary.ConnectionString);
        var there = await connection.QueryAsync<Guid>("SELECT id FROM visit WHERE id = ANY(@written)", new { written = operations.Written.ToArray() });
        Assert.Equal(operations.Written.Order(), there.Order());
    }
}
