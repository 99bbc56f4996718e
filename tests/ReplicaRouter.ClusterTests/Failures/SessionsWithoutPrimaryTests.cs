using Dapper;
using Npgsql;
using ReplicaRouter.Testing;

namespace ReplicaRouter.ClusterTests.Failures;

/// <summary>The primary is killed, no standby is promoted, and one standby holds everything that the sessions have written.</summary>
public sealed class SessionsWithoutPrimaryTests
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(10);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    [Trait("Failure", "B13")]
    public async Task Sessions_that_have_written_read_at_once_from_the_standby_that_has_their_writes()
    {
        await using var cluster = await FailureCluster.StartAsync("analytics", "background");
        await using (var connection = new NpgsqlConnection(cluster.Primary.ConnectionString)) await connection.ExecuteAsync("CREATE TABLE note (id int)");
        await using var router = await cluster.HealthyRouterAsync();
        await using var other = await cluster.HealthyRouterAsync();
        await using var load = FailureLoad.OfReads(cluster, router, workers: 2);
        // This replica gets none of the writes that follow.
        await cluster["background"].CutStreamingAsync(Ct);
        var sessions = Enumerable.Range(0, 10).Select(_ => router.CreateSession("")).ToList();
        foreach (var (id, session) in sessions.Index()) await WriteAsync(router, session, id);
        await Eventually.Async(IsProbedAfter(router, TimeProvider.System.GetTimestamp()), s_bound, "the primary has answered a probe after the writes");
        using var passedOn = router.CreateSession("");
        await WriteAsync(router, passedOn, 10);
        var token = await passedOn.GetTokenAsync(Ct);
        // This commit flushes all earlier WAL, including records that no session needs.
        using var last = router.CreateSession("");
        await WriteAsync(router, last, 11);
        await cluster.WaitForReplicationOnAsync("analytics", Ct);
        await cluster.Primary.KillAsync(Ct);
        foreach (var each in new[] { router, other }) await Eventually.Async(() => each.Engine.Topology.Primary is null, s_bound, "there is no primary");

        // A single read that waited for a primary would take ten seconds.
        var start = TimeProvider.System.GetTimestamp();
        foreach (var (id, session) in sessions.Index()) await AssertReadsAsync(cluster, router, session, id);
        using var continued = other.CreateSession(token);
        await AssertReadsAsync(cluster, other, continued, 10);
        Assert.InRange(TimeProvider.System.GetElapsedTime(start), TimeSpan.Zero, s_bound / 2);

        await cluster.PromoteAsync("analytics", repointOthers: false, Ct);
        await Eventually.Async(() => router.Engine.Topology.Primary?.Name == "analytics", s_bound, "the promoted server is followed");
        foreach (var (id, session) in sessions.Index()) await AssertReadsAsync(cluster, router, session, id);
    }

    private static Func<bool> IsProbedAfter(DatabaseRouter router, long moment) => () => router.Engine.Topology.Primary!.LastAnswered!.SentAt > moment;

    private static Task<int> WriteAsync(DatabaseRouter router, DatabaseSession session, int id) => router.ExecuteAsync(
        DatabaseOperation.Write, (connection, _) => connection.ExecuteAsync("INSERT INTO note VALUES (@id)", new { id }), new OperationOptions { Session = session }, Ct);

    private static async Task AssertReadsAsync(LocalCluster cluster, DatabaseRouter router, DatabaseSession session, int id)
    {
        var (count, server) = await router.ExecuteAsync(DatabaseOperation.Read, async (connection, _) =>
            (await connection.ExecuteScalarAsync<int>("SELECT count(*) FROM note WHERE id = @id", new { id }), await cluster.WhoAsync(connection)), new OperationOptions { Session = session }, Ct);
        Assert.Equal((1, "analytics"), (count, server));
    }
}
