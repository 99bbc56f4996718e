using Microsoft.Playwright;
using Npgsql;
using ReplicaRouter.Testing;

namespace ReplicaRouter.BrowserTests;

// One test class at a time: these tests measure seconds, and two clusters at once would slow down the machine.
[Collection("one browser")]
public class PageTests(Browser browser, Stage stage) : IClassFixture<Stage>
{
    [Fact]
    public async Task A_killed_replica_is_shown_within_two_seconds_and_its_return_is_shown()
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
        Assert.Equal("1 of 4 hosts unhealthy", await visitor.Page.Locator("#overall").TextContentAsync());
        await browser.ShowAsync(stage.Address, "down");

        await stage.Cluster["background"].StartAsync(TestContext.Current.CancellationToken);
        await visitor.SeesAsync("background", HostState.Healthy);
        await visitor.HearsAsync("background serves again");
        Assert.Empty(visitor.Complaints);
    }

    [Fact]
    public async Task A_lagging_replica_is_shown()
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
        // Escape cancels the dialog.
        await visitor.Page.Keyboard.PressAsync("Escape");
        await Assertions.Expect(visitor.Button("Drain dr")).ToBeFocusedAsync();
        Assert.False(stage.Router.GetHealthStatus()["dr"].IsDrained);

        await visitor.Page.Keyboard.PressAsync("Enter");
        await visitor.Page.Keyboard.PressAsync("Tab");
        await visitor.Page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(visitor.Page.Locator("[data-host=dr] .state")).ToHaveTextAsync("Drained");
        Assert.True(stage.Router.GetHealthStatus()["dr"].IsDrained);
        await visitor.HearsAsync("ordered by operator, in this process only");
        await Assertions.Expect(visitor.Page.Locator("[data-host=dr] .meaning")).ToContainTextAsync("Drained by operator, in this process only");
        await browser.ShowAsync(stage.Address, "drained");

        await visitor.Button("Restore dr").PressAsync("Enter");
        await Assertions.Expect(visitor.Page.Locator("[data-host=dr] .state")).ToHaveTextAsync("Healthy");
        Assert.False(stage.Router.GetHealthStatus()["dr"].IsDrained);
        Assert.Empty(visitor.Complaints);
    }

    [Fact]
    public async Task An_operator_forces_reads_to_the_primary_after_confirming()
    {
        await using var visitor = await browser.VisitAsync(stage.Address, Stage.Operator);
        await visitor.Button("Force reads to primary").ClickAsync();
        await visitor.Button("Force to primary").ClickAsync();
        await Assertions.Expect(visitor.Page.Locator("[data-banner=forced]")).ToContainTextAsync("ordered by operator, in this process only");
        await visitor.HearsAsync("All reads are forced to the primary");
        Assert.True(stage.Router.GetMetrics().ForcedToPrimary > 0);
        await visitor.HearsAsync("Reads are no longer forced to the primary");
        await Assertions.Expect(visitor.Page.Locator("[data-banner=forced]")).ToHaveCountAsync(0);
        Assert.Empty(visitor.Complaints);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("guest")]
    public async Task Non_operators_see_no_controls_and_their_orders_are_refused(string? role)
    {
        await using var visitor = await browser.VisitAsync(stage.Address, role);
        await visitor.SeesAsync("dr", HostState.Healthy);
        await Assertions.Expect(visitor.Page.Locator("button:visible:not([data-range])")).ToHaveCountAsync(0);
        foreach (var order in new[] { "hosts/dr/drain", "hosts/dr/restore", "force-to-primary" }) Assert.Equal(403, await visitor.OrderAsync(order, withToken: false));
        Assert.False(stage.Router.GetHealthStatus()["dr"].IsDrained);
    }

    [Fact]
    public async Task An_order_without_the_pages_token_is_refused()
    {
        await using var visitor = await browser.VisitAsync(stage.Address, Stage.Operator);
        Assert.Equal(400, await visitor.OrderAsync("hosts/dr/drain", withToken: false));
        Assert.False(stage.Router.GetHealthStatus()["dr"].IsDrained);
        Assert.Equal(204, await visitor.OrderAsync("hosts/dr/restore", withToken: true));
    }

    [Fact]
    public async Task The_page_falls_back_to_polling_if_the_event_stream_is_blocked()
    {
        // As behind a proxy that buffers responses until they end.
        await using var visitor = await browser.VisitAsync(stage.Address, prepare: page => page.RouteAsync("**/events", _ => Task.CompletedTask));
        await visitor.SeesAsync("dr", HostState.Healthy);
        await stage.Router.DrainAsync("dr", TestContext.Current.CancellationToken);
        await Assertions.Expect(visitor.Page.Locator("[data-host=dr] .state")).ToHaveTextAsync("Drained", new() { Timeout = 15_000 });
        await stage.Router.RestoreAsync("dr", TestContext.Current.CancellationToken);
        await Assertions.Expect(visitor.Page.Locator("[data-host=dr] .state")).ToHaveTextAsync("Healthy", new() { Timeout = 15_000 });
        Assert.Empty(visitor.Complaints);
    }

    [Fact]
    public async Task Error_texts_are_shown_to_operators_only_and_state_meanings_to_everyone()
    {
        await using var guest = await browser.VisitAsync(stage.Address);
        await using var visitor = await browser.VisitAsync(stage.Address, Stage.Operator);
        await stage.Cluster["dr"].KillAsync(TestContext.Current.CancellationToken);
        foreach (var someone in new[] { guest, visitor })
        {
            await someone.SeesAsync("dr", HostState.Down);
            await Assertions.Expect(someone.Page.Locator("[data-host=dr] .meaning")).ToContainTextAsync("gets no traffic");
        }

        await Assertions.Expect(visitor.Page.Locator("[data-host=dr] .error")).ToContainTextAsync("127.0.0.1:");
        Assert.DoesNotContain("127.0.0.1:", await guest.Page.Locator("main").InnerTextAsync(), StringComparison.Ordinal);
        await stage.Cluster["dr"].StartAsync(TestContext.Current.CancellationToken);
        await guest.SeesAsync("dr", HostState.Healthy);
    }

    [Fact]
    public async Task The_page_shows_its_process_command_durations_and_failures()
    {
        await using var visitor = await browser.VisitAsync(stage.Address);
        await Assertions.Expect(visitor.Page.Locator("#instance")).ToContainTextAsync($"process {Environment.ProcessId}");
        await Assertions.Expect(visitor.Page.Locator("#instance")).ToContainTextAsync("up ");
        await Assertions.Expect(visitor.Page.Locator("#routes tbody tr", new() { HasText = "read" }).Locator("td").Nth(2)).ToContainTextAsync("ms", new() { Timeout = 15_000 });
        await Assertions.Expect(visitor.Page.Locator("[data-host=analytics] .measures")).ToContainTextAsync(" of ");

        await Assert.ThrowsAsync<PostgresException>(() => stage.Router.ExecuteAsync(DatabaseOperation.Write, async (connection, ct) =>
        {
            await using var command = new NpgsqlCommand("SELECT 'a secret'::int", connection);
            await command.ExecuteNonQueryAsync(ct);
        }, TestContext.Current.CancellationToken));
        await Assertions.Expect(visitor.Page.Locator("#failures")).ToContainTextAsync("write on primary: 22P02 InvalidTextRepresentation");
        await Assertions.Expect(visitor.Page.Locator("#figures div", new() { HasText = "Errors" }).Locator("dd")).Not.ToHaveTextAsync("0");
        Assert.DoesNotContain("a secret", await visitor.Page.Locator("main").InnerTextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_longer_range_takes_one_press_and_a_state_links_to_its_explanation()
    {
        await using var visitor = await browser.VisitAsync(stage.Address);
        await visitor.SeesAsync("dr", HostState.Healthy);
        await visitor.Button("Last hour").PressAsync("Enter");
        await Assertions.Expect(visitor.Button("Last hour")).ToHaveAttributeAsync("aria-pressed", "true");
        await Assertions.Expect(visitor.Page.Locator(".chart caption").First).ToContainTextAsync("last hour");
        await Assertions.Expect(visitor.Page.Locator(".chart thead th").Nth(1)).ToHaveTextAsync("Latest");

        var guide = await visitor.Page.RunAndWaitForPopupAsync(() => visitor.Page.Locator("[data-host=dr] .state").ClickAsync());
        await Assertions.Expect(guide).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("/guide#Healthy$"));
        await Assertions.Expect(guide.Locator("#Healthy")).ToBeVisibleAsync();
        Assert.Empty(await Artifacts.IssuesAsync(guide));
        Assert.Empty(visitor.Complaints);
    }

    [Fact]
    public async Task A_lost_connection_is_shown_and_re_established()
    {
        await using var visitor = await browser.VisitAsync(stage.Address);
        stage.Network.Refuse();
        stage.Network.Reset();
        await visitor.Page.Locator("body.lost").WaitForAsync();
        await visitor.Page.ScreenshotAsync(new() { Path = Artifacts.PathOf("lost"), FullPage = true });
        await Assertions.Expect(visitor.Page.Locator("#connection")).ToContainTextAsync("Reconnecting");
        stage.Network.Heal();
        await visitor.Page.Locator("body.live").WaitForAsync();
        await visitor.SeesAsync("primary", HostState.Healthy);
        // The lost connection is the only complaint.
        Assert.All(visitor.Complaints, complaint => Assert.Contains("net::ERR", complaint, StringComparison.Ordinal));
    }
}
