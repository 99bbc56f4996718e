using Microsoft.Playwright;
using ReplicaRouter.Testing;

namespace ReplicaRouter.BrowserTests;

[Collection("one browser")]
public class FailoverTests(Browser browser, Stage stage) : IClassFixture<Stage>
{
    [Fact]
    public async Task A_promotion_a_split_brain_and_the_loss_of_all_hosts_are_shown()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var visitor = await browser.VisitAsync(stage.Address);
        await stage.Cluster["primary"].KillAsync(ct);
        await visitor.Page.Locator(".vacant").WaitForAsync();
        await visitor.HearsAsync("there is no primary");
        await browser.ShowAsync(stage.Address, "no-primary");

        await stage.Cluster["analytics"].PromoteAsync(ct);
        await visitor.Page.Locator(".writers [data-host=analytics][data-state=Healthy]").WaitForAsync();
        await visitor.HearsAsync("analytics is the primary now");
        Assert.Equal(1, stage.Router.GetMetrics().Failovers);
        await browser.ShowAsync(stage.Address, "failover");

        // A second promotion to the same timeline.
        await stage.Cluster["background"].PromoteAsync(ct);
        await visitor.SeesAsync("background", HostState.SplitBrain);
        await visitor.SeesAsync("analytics", HostState.SplitBrain);
        await Assertions.Expect(visitor.Page.Locator("#overall")).ToHaveTextAsync("Split brain: no writes");
        await browser.ShowAsync(stage.Address, "split-brain");

        foreach (var server in stage.Cluster.Servers) await server.KillAsync(ct);
        await Assertions.Expect(visitor.Page.Locator("#overall")).ToHaveTextAsync("No healthy hosts", new() { Timeout = 15_000 });
        await browser.ShowAsync(stage.Address, "all-down");
        Assert.Empty(visitor.Complaints);
    }
}
