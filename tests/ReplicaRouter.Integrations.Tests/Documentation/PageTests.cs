namespace ReplicaRouter.Integrations.Tests.Documentation;

public class PageTests
{
    [Theory]
    [InlineData("dapper.md")]
    [InlineData("jobs.md")]
    public void The_page_shows_code_that_was_compiled(string page)
    {
        var snippets = Page.Snippets(page);
        Assert.NotEmpty(snippets);
        var regions = Page.Regions();
        Assert.All(snippets, snippet => Assert.Contains(snippet, regions));
    }
}
