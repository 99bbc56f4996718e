using ReplicaRouter.Checks;

namespace ReplicaRouter.ClusterTests;

[Trait("PostgreSQL", "any")]
public class FaultSoakTests
{
    [Fact]
    public async Task A_minute_of_random_faults_leaves_nothing_behind()
    {
        var options = new FaultSoakOptions { Length = TimeSpan.FromSeconds(60), Seed = 7 };
        var report = await FaultSoak.RunAsync(options, TestContext.Current.CancellationToken);
        TestContext.Current.TestOutputHelper?.WriteLine(report.ToString());
        Assert.True(report.Complaints.Count == 0, report.ToString());
        Assert.True(report.Faults.Count >= 12, report.ToString());
    }
}
