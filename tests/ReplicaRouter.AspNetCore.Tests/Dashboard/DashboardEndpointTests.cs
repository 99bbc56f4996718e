using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace ReplicaRouter.AspNetCore.Tests.Dashboard;

public class DashboardEndpointTests(OperatedDashboard operated) : IClassFixture<OperatedDashboard>
{
    [Fact]
    public async Task The_page_and_its_files_are_found_below_a_path_base()
    {
        await using var app = await DashboardApplication.StartAsync(pathBase: "/base");
        var bare = new Uri(app.Client.BaseAddress!, "../replica-router");
        using var redirect = await app.Client.GetAsync(bare, TestContext.Current.CancellationToken);
        Assert.Equal(app.Client.BaseAddress, new Uri(bare, redirect.Headers.Location!));
        using var page = await app.SendAsync(HttpMethod.Get, "");
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.Contains("default-src 'none'", page.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        using var script = await app.SendAsync(HttpMethod.Get, "assets/app.js");
        Assert.Equal("text/javascript", script.Content.Headers.ContentType!.MediaType);
    }

    [Fact]
    public async Task A_current_copy_of_a_file_is_answered_with_304()
    {
        var app = operated.Application;
        using var first = await app.SendAsync(HttpMethod.Get, "assets/base.css");
        using var request = new HttpRequestMessage(HttpMethod.Get, "assets/base.css");
        request.Headers.IfNoneMatch.Add(EntityTagHeaderValue.Parse(first.Headers.ETag!.ToString()));
        using var second = await app.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
    }

    [Fact]
    public async Task Only_the_pages_own_files_are_served()
    {
        var app = operated.Application;
        foreach (var path in new[] { "assets/index.html", "assets/uplot.LICENSE.txt", "assets/..%2F..%2Fappsettings.json" })
        {
            using var response = await app.SendAsync(HttpMethod.Get, path);
            Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        }
    }

    [Theory]
    [InlineData("hosts/primary/drain")]
    [InlineData("hosts/primary/restore")]
    [InlineData("force-to-primary")]
    public async Task Orders_are_accepted_only_from_operators_with_the_page_s_token(string order)
    {
        var app = operated.Application;
        var token = await app.TokenAsync("operator");
        Assert.NotNull(token);
        Assert.Null(await app.TokenAsync("guest"));
        Assert.Null(await app.TokenAsync(null));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusOf(app, order, null, token));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusOf(app, order, "guest", token));
        Assert.Equal(HttpStatusCode.BadRequest, await StatusOf(app, order, "operator", null));
        Assert.Equal(HttpStatusCode.BadRequest, await StatusOf(app, order, "operator", "forged"));
        // There is no primary to force reads to.
        var expected = order switch { "hosts/primary/drain" => HttpStatusCode.Accepted, "hosts/primary/restore" => HttpStatusCode.NoContent, _ => HttpStatusCode.Conflict };
        Assert.Equal(expected, await StatusOf(app, order, "operator", token));
    }

    [Fact]
    public async Task Only_operators_can_preview_an_accept_and_a_silent_host_is_not_accepted()
    {
        var app = operated.Application;
        Assert.Equal(HttpStatusCode.Forbidden, await StatusOf(HttpMethod.Get, "guest", "primary"));
        Assert.Equal(HttpStatusCode.NotFound, await StatusOf(HttpMethod.Get, "operator", "nobody"));
        Assert.Equal(HttpStatusCode.Conflict, await StatusOf(HttpMethod.Get, "operator", "primary"));
        Assert.Equal(HttpStatusCode.BadRequest, await StatusOf(HttpMethod.Post, "operator", "primary"));
        Assert.Equal(HttpStatusCode.Conflict, await StatusOf(HttpMethod.Post, "operator", "primary", await app.TokenAsync("operator")));

        async Task<HttpStatusCode> StatusOf(HttpMethod method, string role, string host, string? token = null)
        {
            using var response = await app.SendAsync(method, $"hosts/{host}/accept", role, token);
            return response.StatusCode;
        }
    }

    [Fact]
    public async Task Without_a_policy_there_are_no_operators()
    {
        await using var app = await DashboardApplication.StartAsync();
        Assert.Null(await app.TokenAsync("operator"));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusOf(app, "hosts/primary/drain", "operator", null));
    }

    [Fact]
    public async Task An_unknown_host_cannot_be_drained()
    {
        var app = operated.Application;
        Assert.Equal(HttpStatusCode.NotFound, await StatusOf(app, "hosts/nobody/drain", "operator", await app.TokenAsync("operator")));
    }

    [Fact]
    public async Task The_feed_starts_with_the_full_state_and_no_secret()
    {
        var app = operated.Application;
        using var response = await app.SendAsync(HttpMethod.Get, "events");
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
        Assert.Equal("event: welcome", await reader.ReadLineAsync(TestContext.Current.CancellationToken));
        var data = await reader.ReadLineAsync(TestContext.Current.CancellationToken);
        Assert.Contains("\"hosts\":[\"primary\"]", data, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", data, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_feed_restarts_when_hosts_are_added_or_removed_and_keeps_its_history()
    {
        await using var app = await DashboardApplication.StartAsync();
        using var response = await app.SendAsync(HttpMethod.Get, "events");
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
        using (var first = await NextAsync(reader, "welcome")) Assert.Equal(["primary"], HostsOf(first));
        (await NextAsync(reader, "update")).Dispose();

        var options = new DatabaseRouterOptions();
        foreach (var (name, port) in new[] { ("primary", 1), ("analytics", 2) }) options.Hosts[name] = new DatabaseHostOptions { ConnectionString = $"Host=127.0.0.1;Port={port};Password=hunter2" };
        app.Router.Reload(options);
        using (var second = await NextAsync(reader, "welcome"))
        {
            Assert.Equal(["primary", "analytics"], HostsOf(second));
            Assert.Equal(2, second.RootElement.GetProperty("status").GetProperty("hosts").GetArrayLength());
            var points = second.RootElement.GetProperty("points").EnumerateArray().ToList();
            Assert.NotEmpty(points);
            Assert.All(points, point => Assert.Equal(2, point.GetProperty("rates").GetArrayLength()));
            Assert.Contains(second.RootElement.GetProperty("events").EnumerateArray(), e => e.GetProperty("text").GetString() == "was added" && e.GetProperty("host").GetString() == "analytics");
        }

        using var update = await NextAsync(reader, "update");
        Assert.Equal(2, update.RootElement.GetProperty("status").GetProperty("hosts").GetArrayLength());
    }

    private static IEnumerable<string?> HostsOf(JsonDocument welcome) => welcome.RootElement.GetProperty("hosts").EnumerateArray().Select(host => host.GetString());

    private static async Task<JsonDocument> NextAsync(StreamReader reader, string kind)
    {
        while (await reader.ReadLineAsync(TestContext.Current.CancellationToken) != $"event: {kind}")
        {
            // Skips other events.
        }

        var data = await reader.ReadLineAsync(TestContext.Current.CancellationToken);
        return JsonDocument.Parse(data!["data: ".Length..]);
    }

    [Fact]
    public async Task An_open_feed_does_not_delay_the_shutdown()
    {
        var app = await DashboardApplication.StartAsync();
        using var response = await app.SendAsync(HttpMethod.Get, "events");
        var start = TimeProvider.System.GetTimestamp();
        await app.DisposeAsync();
        Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(5));
    }

    [Fact]
    public void A_missing_service_is_named()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddReplicaRouter(options => options.Hosts["primary"] = new DatabaseHostOptions { ConnectionString = "Host=127.0.0.1;Port=1" });
        builder.Services.AddAuthorization();
        using var app = builder.Build() as IDisposable;
        var fault = Assert.Throws<InvalidOperationException>(() => ((WebApplication)app!).MapReplicaRouterDashboard("/replica-router", OperatedDashboard.Configure));
        Assert.Contains("AddAntiforgery", fault.Message, StringComparison.Ordinal);
    }

    private static async Task<HttpStatusCode> StatusOf(DashboardApplication app, string path, string? role, string? token)
    {
        using var response = await app.SendAsync(HttpMethod.Post, path, role, token);
        return response.StatusCode;
    }
}
