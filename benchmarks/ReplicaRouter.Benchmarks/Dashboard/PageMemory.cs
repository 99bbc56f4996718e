using Microsoft.Playwright;

namespace ReplicaRouter.Benchmarks.Dashboard;

/// <summary>The page in a browser, and what it takes there.</summary>
internal sealed class PageMemory : IAsyncDisposable
{
    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;
    private IPage? _page;
    private ICDPSession? _session;

    private PageMemory(IPlaywright playwright, IBrowser browser) => (_playwright, _browser) = (playwright, browser);

    public static async Task<PageMemory> LaunchAsync()
    {
        var playwright = await Playwright.CreateAsync();
        return new(playwright, await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = Environment.GetEnvironmentVariable("REPLICAROUTER_CHROMIUM") ?? "/usr/bin/chromium",
            Args = ["--no-sandbox"],
        }));
    }

    public async Task OpenAsync(Uri address)
    {
        _page = await _browser.NewPageAsync();
        await _page.GotoAsync(address.ToString());
        await _page.Locator("body.live").WaitForAsync();
        _session = await _page.Context.NewCDPSessionAsync(_page);
        await _session.SendAsync("Performance.enable");
        await _session.SendAsync("HeapProfiler.enable");
    }

    public Task CloseAsync() => _page!.CloseAsync();

    /// <summary>Bytes in use on the page's heap after a collection.</summary>
    public async Task<long> UsedAsync()
    {
        await _session!.SendAsync("HeapProfiler.collectGarbage");
        return (long)await MetricAsync("JSHeapUsedSize");
    }

    /// <summary>Seconds that the page's main thread was busy so far.</summary>
    public Task<double> BusySecondsAsync() => MetricAsync("TaskDuration");

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }

    private async Task<double> MetricAsync(string name)
    {
        var answer = await _session!.SendAsync("Performance.getMetrics");
        return answer!.Value.GetProperty("metrics").EnumerateArray().Single(metric => metric.GetProperty("name").GetString() == name).GetProperty("value").GetDouble();
    }
}
