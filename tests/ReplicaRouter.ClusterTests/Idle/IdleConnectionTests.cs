using Dapper;
using Npgsql;

namespace ReplicaRouter.ClusterTests.Idle;

/// <summary>Connections that ended while nobody used them cost no caller anything.</summary>
[Trait("PostgreSQL", "any")]
public sealed class IdleConnectionTests(IdleCluster idle, ITestOutputHelper output) : IClassFixture<IdleCluster>
{
    /// <summary>Quiet times of each end; by default each kind of operation is once the first one after a quiet time. REPLICAROUTER_QUIET_TIMES=100 is the whole matrix.</summary>
    private static readonly int s_quietTimes = int.TryParse(Environment.GetEnvironmentVariable("REPLICAROUTER_QUIET_TIMES"), out var times) ? times : 10;

    /// <summary>Beyond its usual time, an operation takes a login, or finds out by a question that is about as long; the rest is for a machine that is busy.</summary>
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(5);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [Trait("Failure", "B1")]
    [InlineData(IdleEnd.Server)]
    [InlineData(IdleEnd.Fin)]
    [InlineData(IdleEnd.Rst)]
    [InlineData(IdleEnd.Silence)]
    public async Task Connections_that_ended_while_idle_cost_no_operation_an_error(IdleEnd end)
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
            + $"the first one took {run.MedianMs:0} ms in the median, at most {run.Longest.Took.TotalMilliseconds:0} ms ({run.Longest.Operation}); "
            + $"a login takes up to {(await idle.LoginTimeAsync()).TotalMilliseconds:0} ms");
        Assert.True(run.Errors.Count == 0, string.Join('\n', run.Errors));
        Assert.True(run.Longest.Took < s_bound, $"{run.Longest}");
        await AssertWrittenOnceAsync(operations);
        // A machine that is busy for half a second looks like a host that hangs, and the firewall drops what probes send as well.
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
