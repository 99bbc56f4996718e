using Microsoft.Playwright;
using ReplicaRouter.Testing;

namespace ReplicaRouter.BrowserTests;

[Collection("one browser")]
public class AcceptTests(Browser browser, Stage stage) : IClassFixture<Stage>
{
    [Fact]
    public async Task An_operator_accepts_the_old_primary_after_a_mistaken_promotion()
    {
        await using var visitor = await browser.VisitAsync(stage.Address, Stage.Operator);
        await visitor.SeesAsync("primary", HostState.Healthy);
        await Assertions.Expect(visitor.Button("Accept primary")).ToBeHiddenAsync();
        await stage.Cluster["dr"].PromoteAsync(TestContext.Current.CancellationToken);
        await visitor.SeesAsync("primary", HostState.Fenced);
        await visitor.HearsAsync("primary takes writes, but is not the cluster's primary: fenced");
        await Assertions.Expect(visitor.Page.Locator("[data-host=primary] .role")).ToHaveTextAsync("takes writes");
        await browser.ShowAsync(stage.Address, "fenced");

        await visitor.Button("Accept primary").ClickAsync();
        var question = visitor.Page.GetByRole(AriaRole.Dialog);
        await Assertions.Expect(question).ToContainTextAsync("Accept primary?");
        await Assertions.Expect(question).ToContainTextAsync("primary takes writes: system identifier");
        await Assertions.Expect(question).ToContainTextAsync("timeline 2, primary dr.");
        await Assertions.Expect(question).ToContainTextAsync("dr is on timeline 2 and gets no traffic; writes made on that timeline are abandoned.");
        await visitor.Page.ScreenshotAsync(new() { Path = Artifacts.PathOf("accept") });
        // Escape cancels the dialog.
        await visitor.Page.Keyboard.PressAsync("Escape");
        await Assertions.Expect(question).ToBeHiddenAsync();
        Assert.Equal(HostState.Fenced, stage.Router.GetHealthStatus()["primary"].State);

        await visitor.Button("Accept primary").ClickAsync();
        await question.GetByRole(AriaRole.Button, new() { Name = "Accept", Exact = true }).ClickAsync();
        await visitor.Page.Locator(".writers [data-host=primary][data-state=Healthy]").WaitForAsync();
        await visitor.SeesAsync("dr", HostState.Fenced);
        await visitor.HearsAsync("primary is accepted as it is");
        await visitor.HearsAsync("ordered by operator, in this process only");
        Assert.StartsWith("operator accepts host primary from the dashboard", Assert.Single(stage.Log[804]), StringComparison.Ordinal);
        await browser.ShowAsync(stage.Address, "accepted");
        Assert.Empty(visitor.Complaints);
    }
}
