using System.Net;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ReplicaRouter.AspNetCore.Tests.Dashboard;

/// <summary>In an application with several routers, each has its own page, and the pages link to one another.</summary>
public sealed partial class SeveralRoutersTests : IAsyncLifetime
{
    private DashboardApplication _application = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _application = await DashboardApplication.StartAsync(
        options => options.OperatorPolicy = "operators",
        services: services => services.AddReplicaRouter("billing", options =>
        {
            options.Hosts["primary"] = new DatabaseHostOptions { ConnectionString = "Host=127.0.0.1;Port=1" };
            options.Hosts["reports"] = new DatabaseHostOptions { ConnectionString = "Host=127.0.0.1;Port=2" };
        }));

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    [Fact]
    public async Task The_page_of_each_router_links_to_all()
    {
        Assert.Equal([("./", "default", true), ("./routers/billing/", "billing", false)], await LinksAsync(""));
        Assert.Equal([("../../", "default", false), ("../../routers/billing/", "billing", true)], await LinksAsync("routers/billing/"));
        foreach (var path in (string[])["routers/billing/assets/app.js", "routers/billing/guide"])
        {
            using var response = await _application.SendAsync(HttpMethod.Get, path);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }

        using var none = await _application.SendAsync(HttpMethod.Get, "routers/other/");
        Assert.Equal(HttpStatusCode.NotFound, none.StatusCode);
    }

    [Fact]
    public async Task Each_page_shows_and_operates_its_own_router()
    {
        Assert.DoesNotContain("reports", await SnapshotAsync(""), StringComparison.Ordinal);
        Assert.Contains("reports", await SnapshotAsync("routers/billing/"), StringComparison.Ordinal);

        var token = await _application.TokenAsync("operator");
        using (var wrong = await _application.SendAsync(HttpMethod.Post, "hosts/reports/drain", "operator", token)) Assert.Equal(HttpStatusCode.NotFound, wrong.StatusCode);
        using (var drained = await _application.SendAsync(HttpMethod.Post, "routers/billing/hosts/primary/drain", "operator", token)) Assert.Equal(StatusCodes.Status202Accepted, (int)drained.StatusCode);
        Assert.True(_application.RouterOf("billing").GetHealthStatus()["primary"].IsDrained);
        Assert.False(_application.Router.GetHealthStatus()["primary"].IsDrained);
    }

    [Theory]
    [InlineData("routers/billing/")]
    [InlineData("routers/billing/snapshot")]
    public async Task The_access_check_of_the_page_applies_to_all_routers(string path)
    {
        using var response = await _application.SendAsync(HttpMethod.Get, path, headers: (DashboardApplication.RemoteHeader, "10.1.2.3"));
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }

    private async Task<string> SnapshotAsync(string page)
    {
        using var response = await _application.SendAsync(HttpMethod.Get, page + "snapshot");
        return await response.Content.ReadAsStringAsync(Ct);
    }

    private async Task<IEnumerable<(string Link, string Name, bool IsShown)>> LinksAsync(string page)
    {
        using var response = await _application.SendAsync(HttpMethod.Get, page);
        var html = await response.Content.ReadAsStringAsync(Ct);
        return Link().Matches(Nav().Match(html).Value).Select(link => (link.Groups[1].Value, link.Groups[3].Value, link.Groups[2].Success));
    }

    [GeneratedRegex("<nav class=\"routers\".*?</nav>")]
    private static partial Regex Nav();

    [GeneratedRegex("<a href=\"([^\"]*)\"( aria-current=\"page\")?>([^<]*)</a>")]
    private static partial Regex Link();
}
