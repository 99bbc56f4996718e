using Microsoft.Playwright;
using ReplicaRouter.RepositoryTests;

namespace ReplicaRouter.BrowserTests;

/// <summary>Saves screenshots in <c>artifacts/dashboard</c>, for review by people.</summary>
internal static class Artifacts
{
    private static readonly string s_folder = Repository.PathOf("artifacts/dashboard");

    /// <summary>Saves the current page in phone and desktop sizes, light and dark, and checks each with axe.</summary>
    public static async Task ShowAsync(this Browser browser, Uri address, string name)
    {
        await using var visitor = await browser.VisitAsync(address, Stage.Operator);
        foreach (var (width, height) in new[] { (1440, 900), (390, 844) })
            foreach (var scheme in new[] { ColorScheme.Light, ColorScheme.Dark })
            {
                await visitor.Page.SetViewportSizeAsync(width, height);
                await visitor.Page.EmulateMediaAsync(new() { ColorScheme = scheme });
                await visitor.Page.ScreenshotAsync(new()
                {
                    Path = PathOf($"{name}-{width}x{height}-{scheme}"),
                    FullPage = true,
                });
                Assert.True(await visitor.Page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"), "The page is wider than the screen.");
                Assert.Empty(await Axe.SeriousIssuesAsync(visitor.Page));
            }

        Assert.Empty(visitor.Complaints);
    }

    public static string PathOf(string name) => Path.Combine(s_folder, $"{name}.png".ToLowerInvariant());

    public static Task<string[]> IssuesAsync(IPage page) => Axe.SeriousIssuesAsync(page);

    /// <summary>axe-core, fetched by eng/setup.sh.</summary>
    private static class Axe
    {
        private static readonly Lazy<string> s_script = new(() => File.ReadAllText(Repository.PathOf(".cache/axe-core/axe.min.js")));

        public static async Task<string[]> SeriousIssuesAsync(IPage page)
        {
            await page.EvaluateAsync(s_script.Value);
            return await page.EvaluateAsync<string[]>(
                """
                async () => (await axe.run()).violations.filter(issue => ['serious', 'critical'].includes(issue.impact))
                  .map(issue => `${issue.id}: ${issue.help}: ${issue.nodes[0].html}`)
                """);
        }
    }
}
