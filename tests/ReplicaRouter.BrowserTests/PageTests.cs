using Microsoft.Playwright;
using ReplicaRouter.Testing;

namespace ReplicaRouter.BrowserTests;

// One after the other: what is measured here is seconds, and two clusters at once would measure the machine.
[Collection("one browser")]
public class PageTests(Browser browser, Stage stage) : IClassFixture<Stage>
{
    [Fact]
    public async Task A_killed_replica_is_shown_within_two_seconds_and_so_is_its_return()
    {
        await using var visitor = await browser.VisitAsync(stage.Address);
        await visitor.SeesAsync("background", HostState.Healthy);
        await browser.ShowAsync(stage.Address, "healthy");

        var start = TimeProvider.System.GetTimestamp();
        await stage.Cluster["background"].KillAsync(TestContext.Current.CancellationToken);
        await visitor.SeesAsync("background", HostState.Down, 2);
        Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(2));
        await visitor.HearsAsync("background is down");
        await visitor.HearsAsync("Route background falls back");
        Assert.Equal("1 of 4 hosts out", await visitor.Page.Locator("#overall").TextContentAsync());
        await browser.ShowAsync(stage.Address, "down");

        await stage.Cluster["background"].StartAsync(TestContext.Current.CancellationToken);
        await visitor.SeesAsync("background", HostState.Healthy);
        await visitor.HearsAsync("background serves again");
        Assert.Empty(visitor.Complaints);
    }

    [Fact]
    public async Task A_replica_that_lags_is_shown_so()
    {
        await using var visitor = await browser.VisitAsync(stage.Address);
        await stage.Cluster["analytics"].PauseReplayAsync(TestContext.Current.CancellationToken);
        await visitor.SeesAsync("analytics", HostState.Lagging);
        await visitor.HearsAsync("analytics lags behind");
        await browser.ShowAsync(stage.Address, "lagging");
        await stage.Cluster["analytics"].ResumeReplayAsync(TestContext.Current.CancellationToken);
        await visitor.SeesAsync("analytics", HostState.Healthy);
        Assert.Empty(visitor.Complaints);
    }

    [Fact]
    public async Task An_operator_drains_and_restores_a_host_by_keyboard()
    {
        await using var visitor = await browser.VisitAsync(stage.Address, Stage.Operator);
        await visitor.Button("Drain dr").FocusAsync();
        await visitor.Page.Keyboard.PressAsync("Enter");
        // Escape is a no.
        await visitor.Page.Keyboard.PressAsync("Escape");
        await Assertions.Expect(visitor.Button("Drain dr")).ToBeFocusedAsync();
        Assert.False(stage.Router.GetHealthStatus()["dr"].IsDrained);

        await visitor.Page.Keyboard.PressAsync("Enter");
        await visitor.Page.Keyboard.PressAsync("Tab");
        await visitor.Page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(visitor.Page.Locator("[data-host=dr] .state")).ToHaveTextAsync("Drained");
        Assert.True(stage.Router.GetHealthStatus()["dr"].IsDrained);
        await visitor.HearsAsync("dr is drained");
        await browser.ShowAsync(stage.Address, "drained");

        await visitor.Button("Restore dr").PressAsync("Enter");
        await Assertions.Expect(visitor.Page.Locator("[data-host=dr] .state")).ToHaveTextAsync("Healthy");
        Assert.False(stage.Router.GetHealthStatus()["dr"].IsDrained);
        Assert.Empty(visitor.Complaints);
    }

    [Fact]
    public async Task An_operator_forces_reads_to_the_primary_once_he_has_confirmed()
    {
        await using var visitor = await browser.VisitAsync(stage.Address, Stage.Operator);
        await visitor.Button("Force reads to primary").ClickAsync();
        await visitor.Button("Force to primary").ClickAsync();
        await visitor.Page.Locator("[data-banner=forced]").WaitForAsync();
        await visitor.HearsAsync("All reads are forced to the primary");
        Assert.True(stage.Router.GetMetrics().ForcedToPrimary > 0);
        await visitor.HearsAsync("Reads are no longer forced to the primary");
        await Assertions.Expect(visitor.Page.Locator("[data-banner=forced]")).ToHaveCountAsync(0);
        Assert.Empty(visitor.Complaints);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("guest")]
    public async Task Nobody_else_is_shown_or_given_an_order(string? role)
    {
        await using var visitor = await browser.VisitAsync(stage.Address, role);
        await visitor.SeesAsync("dr", HostState.Healthy);
        await Assertions.Expect(visitor.Page.Locator("button:visible")).ToHaveCountAsync(0);
        foreach (var order in new[] { "hosts/dr/drain", "hosts/dr/restore", "force-to-primary" }) Assert.Equal(403, await visitor.OrderAsync(order, withToken: false));
        Assert.False(stage.Router.GetHealthStatus()["dr"].IsDrained);
    }

    [Fact]
    public async Task An_order_that_does_not_come_from_the_page_is_refused()
    {
        await using var visitor = await browser.VisitAsync(stage.Address, Stage.Operator);
        Assert.Equal(400, await visitor.OrderAsync("hosts/dr/drain", withToken: false));
        Assert.False(stage.Router.GetHealthStatus()["dr"].IsDrained);
        Assert.Equal(204, await visitor.OrderAsync("hosts/dr/restore", withToken: true));
    }

    [Fact]
    public async Task A_lost_connection_is_shown_and_found_again()
    {
        await using var visitor = await browser.VisitAsync(stage.Address);
        stage.Network.Refuse();
        stage.Network.Reset();
        await visitor.Page.Locator("body.lost").WaitForAsync();
        await Assertions.Expect(visitor.Page.Locator("#connection")).ToContainTextAsync("Reconnecting");
        stage.Network.Heal();
        await visitor.Page.Locator("body.live").WaitForAsync();
        await visitor.SeesAsync("primary", HostState.Healthy);
        // The lost connection is all there is to complain of.
        Assert.All(visitor.Complaints, complaint => Assert.Contains("net::ERR", complaint, StringComparison.Ordinal));
    }
}
