using Microsoft.Playwright;

[assembly: AssemblyFixture(typeof(ReplicaRouter.BrowserTests.Browser))]

namespace ReplicaRouter.BrowserTests;

/// <summary>Headless Chromium from Debian's package, for all tests.</summary>
public sealed class Browser : IAsyncLifetime
{
    private IPlaywright _playwright = null!;
    private IBrowser _browser = null!;

    public async ValueTask InitializeAsync()
    {
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = Environment.GetEnvironmentVariable("REPLICAROUTER_CHROMIUM") ?? "/usr/bin/chromium",
            // Chromium's sandbox does not work as root, and the tests load only our own pages.
            Args = ["--no-sandbox"],
        });
    }

    internal async Task<Visitor> VisitAsync(Uri address, string? role = null, Func<IPage, Task>? prepare = null)
    {
        var context = await _browser.NewContextAsync(new()
        {
            ViewportSize = new() { Width = 1440, Height = 900 },
            ExtraHTTPHeaders = role is null ? [] : [new(Stage.RoleHeader, role)],
        });
        return await Visitor.OpenAsync(context, address, prepare);
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }
}
