using Microsoft.Playwright;

namespace ReplicaRouter.Benchmarks.Dashboard;

/// <summary>A browser tab that shows the page or is blank.</summary>
internal sealed class PageInBrowser : IAsyncDisposable
{
    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;
    private readonly IPage _page;
    private readonly ICDPSession _session;
    private readonly Uri _address;

    private PageInBrowser(IPlaywright playwright, IBrowser browser, IPage page, ICDPSession session, Uri address) =>
        (_playwright, _browser, _page, _session, _address) = (playwright, browser, page, session, address);

    public static async Task<PageInBrowser> LaunchAsync(Uri address)
    {
        var playwright = await Playwright.CreateAsync();
        var browser = await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = Environment.GetEnvironmentVariable("REPLICAROUTER_CHROMIUM") ?? "/usr/bin/chromium",
            Args = ["--no-sandbox"],
        });
        var page = await browser.NewPageAsync();
        return new(playwright, browser, page, await page.Context.NewCDPSessionAsync(page), address);
    }

    public async Task OpenAsync()
    {
        await _page.GotoAsync(_address.ToString());
        await _page.Locator("body.live").WaitForAsync();
    }

    public Task CloseAsync() => _page.GotoAsync("about:blank");

    /// <summary>Returns the bytes in use on the page's heap after a garbage collection.</summary>
    public async Task<long> UsedAsync()
    {
        await _session.SendAsync("HeapProfiler.collectGarbage");
        return (await _session.SendAsync("Runtime.getHeapUsage"))!.Value.GetProperty("usedSize").GetInt64();
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }
}
