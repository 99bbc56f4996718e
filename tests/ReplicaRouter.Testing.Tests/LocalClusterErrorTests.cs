namespace ReplicaRouter.Testing.Tests;

public class LocalClusterErrorTests
{
    [Fact]
    public async Task Missing_binaries_are_named_with_where_they_were_looked_for_and_how_to_install_them()
    {
        var error = await Assert.ThrowsAsync<LocalClusterException>(() =>
            LocalCluster.StartAsync(new LocalClusterOptions { BinDirectory = "/nowhere" }, TestContext.Current.CancellationToken));
        Assert.Contains("/nowhere", error.Message, StringComparison.Ordinal);
        Assert.Contains("apt-get install postgresql", error.Message, StringComparison.Ordinal);
    }
}
