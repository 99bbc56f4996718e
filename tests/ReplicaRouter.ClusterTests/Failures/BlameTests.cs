using Dapper;
using Npgsql;

namespace ReplicaRouter.ClusterTests.Failures;

/// <summary>An error that a statement raises changes no host's state, regardless of its code.</summary>
public class BlameTests(ClusterFixture fixture)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [Trait("Failure", "B7")]
    [InlineData("53300")]
    [InlineData("57P01")]
    [InlineData("57P02")]
    [InlineData("57P03")]
    [InlineData("08001")]
    [InlineData("08006")]
    [InlineData("28P01")]
    [InlineData("3D000")]
    [InlineData("08P01")]
    public async Task A_statement_that_raises_another_server_s_error_leaves_its_host_in_rotation(string sqlState)
    {
        await using var router = fixture.Cluster.Router();
        await router.WaitUntilReadyAsync(TimeSpan.FromSeconds(10), Ct);
        var before = router.GetMetrics().Transitions;
        foreach (var route in new DatabaseRoute[] { DatabaseOperation.Read, DatabaseOperation.Write })
        {
            for (var i = 0; i < 5; i++)
            {
                var error = await Assert.ThrowsAsync<PostgresException>(() => router.ExecuteAsync(route,
                    (connection, _) => connection.ExecuteAsync($"DO $$ BEGIN RAISE 'another server' USING ERRCODE = '{sqlState}'; END $$"), Ct));
                Assert.Equal(sqlState, error.SqlState);
            }
        }

        Assert.Equal(before, router.GetMetrics().Transitions);
        Assert.Equal(0, router.GetMetrics().Recovery.Retries);
    }
}
