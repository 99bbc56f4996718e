using Dapper;
using Npgsql;

namespace ReplicaRouter.ClusterTests.Idle;

/// <summary>Connections that ended while idle cause no caller an error.</summary>
[Trait("PostgreSQL", "any")]
public sealed class IdleConnectionTests(IdleCluster idle, ITestOutputHelper output) : IClassFixture<IdleCluster>
{
    /// <summary>Quiet times per cell. By default each kind of operation comes first after one quiet time; REPLICAROUTER_QUIET_TIMES=100 runs the whole matrix.</summary>
    private static readonly int s_quietTimes = int.TryParse(Environment.GetEnvironmentVariable("REPLICAROUTER_QUIET_TIMES"), out var times) ? times : 10;

    /// <summary>An operation can need an extra login, or a check of its connection that takes about as long. The rest is a margin for a busy machine.</summary>
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(5);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static MatrixTheoryData<IdleEnd, int> Cells => new(Enum.GetValues<IdleEnd>(), [1, 2, 3, 5]);

    [Theory]
    [Trait("Failure", "B1")]
    [MemberData(nameof(Cells))]
    public async Task Connections_that_ended_while_idle_fail_no_operation(IdleEnd end, int replicas)
    {
        await using var router = await idle.RouterAsync(replicas, end);
        var operations = new IdleOperations(router);
        List<(string Operation, TimeSpan Took)> firsts = [];
        List<string> errors = [];
        await operations.BurstAsync();
        for (var time = 0; time < s_quietTimes; time++)
        {
            await idle.BeQuietAsync(end);
            var first = operations.All.ElementAt(time % operations.All.Count);
            var startedAt = TimeProvider.System.GetTimestamp();
            await RunAsync(first.Key, first.Value, errors);
            firsts.Add((first.Key, TimeProvider.System.GetElapsedTime(startedAt)));
            await Task.WhenAll(operations.All.Where(other => other.Key != first.Key).Select(other => RunAsync(other.Key, other.Value, errors)));
        }

        var longest = firsts.MaxBy(first => first.Took);
        output.WriteLine($"{end}, {replicas} replicas: {s_quietTimes} quiet times, {s_quietTimes * operations.All.Count} operations, {errors.Count} errors; "
            + $"the first operation took {Median(firsts):0} ms (median), at most {longest.Took.TotalMilliseconds:0} ms ({longest.Operation}); "
            + $"a login takes up to {(await idle.LoginTimeAsync()).TotalMilliseconds:0} ms");
        Assert.True(errors.Count == 0, string.Join('\n', errors));
        Assert.True(longest.Took < s_bound, $"{longest}");
        await AssertWrittenOnceAsync(operations);
        // Other states are possible: a machine that is busy for half a second looks like a hung host, and the firewall also drops probes.
        Assert.DoesNotContain(router.GetMetrics().Transitions, transition => transition.State == HostState.Down);
        Assert.Equal((0, 0), (router.GetMetrics().Recovery.Retries, router.GetMetrics().Recovery.RetriesRefused));
    }

    private static async Task RunAsync(string name, Func<Task> operation, List<string> errors)
    {
        try
        {
            await operation();
        }
        catch (Exception e)
        {
            lock (errors) errors.Add($"{name}: {e}");
        }
    }

    private async Task AssertWrittenOnceAsync(IdleOperations operations)
    {
        await using var connection = new NpgsqlConnection(idle.Cluster.Primary.ConnectionString);
        var there = await connection.QueryAsync<Guid>("SELECT id FROM visit WHERE id = ANY(@written)", new { written = operations.Written.ToArray() });
        Assert.Equal(operations.Written.Order(), there.Order());
    }

    private static double Median(List<(string, TimeSpan Took)> firsts) => firsts.Count == 0 ? 0 : firsts.Select(first => first.Took.TotalMilliseconds).Order().ElementAt(firsts.Count / 2);
}
