using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using ReplicaRouter.Testing.Processes;

namespace ReplicaRouter.AspNetCore.Tests.Dashboard;

[Trait("Failure", "C9")]
public class DashboardAccessTests(OperatedDashboard operated) : IClassFixture<OperatedDashboard>
{
    private static readonly string[] s_paths = ["", "assets/app.js", "events"];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(DashboardApplication.RemoteHeader, "10.1.2.3")]
    [InlineData(DashboardApplication.RemoteHeader, "::ffff:10.1.2.3")]
    [InlineData(DashboardApplication.RemoteHeader, "socket")]
    [InlineData("Host", "db-console.example.com")]
    [InlineData("Host", "localhost.example.com")]
    [InlineData("X-Forwarded-For", "127.0.0.1")]
    [InlineData("X-Forwarded-Host", "localhost")]
    [InlineData("X-Original-For", "127.0.0.1")]
    [InlineData("X-Real-IP", "127.0.0.1")]
    [InlineData("Forwarded", "for=127.0.0.1")]
    [InlineData("Via", "1.1 proxy")]
    [InlineData("Origin", "https://evil.example.com")]
    [InlineData("Origin", "null")]
    public async Task Without_authorization_a_possibly_remote_request_is_refused_with_instructions(string header, string value)
    {
        foreach (var path in s_paths)
        {
            using var response = await operated.Application.SendAsync(HttpMethod.Get, path, "operator", headers: (header, value));
            Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
            var line = await response.Content.ReadAsStringAsync(Ct);
            Assert.Contains(".RequireAuthorization()", line, StringComparison.Ordinal);
            Assert.Single(line.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        }

        var token = await operated.Application.TokenAsync("operator");
        foreach (var order in new[] { "hosts/primary/drain", "hosts/primary/restore", "force-to-primary" })
        {
            using var response = await operated.Application.SendAsync(HttpMethod.Post, order, "operator", token, (header, value));
            Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        }

        Assert.False(operated.Application.Router.GetHealthStatus()["primary"].IsDrained);
    }

    [Fact]
    public async Task A_request_from_nginx_with_its_defaults_does_not_count_as_local()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, operated.Application.Client.BaseAddress) { Version = HttpVersion.Version10 };
        using var response = await operated.Application.Client.SendAsync(request, Ct);
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }

    [Theory]
    [InlineData("127.0.0.1", "localhost:5000")]
    [InlineData("::1", "[::1]:5000")]
    [InlineData("::ffff:127.0.0.1", "shop.dev.localhost:5000")]
    public async Task A_request_from_this_machine_is_allowed(string address, string host)
    {
        using var response = await operated.Application.SendAsync(HttpMethod.Get, "", headers: [(DashboardApplication.RemoteHeader, address), ("Host", host)]);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task The_application_s_authorization_replaces_the_address_check()
    {
        await using var locked = await DashboardApplication.StartAsync(access: dashboard => dashboard.RequireAuthorization("operators"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(locked, "operator"));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(locked, "guest"));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(locked, null));
        await using var open = await DashboardApplication.StartAsync(access: dashboard => dashboard.AllowAnonymous());
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(open, null));
    }

    [Fact]
    public async Task The_authorization_of_a_surrounding_group_replaces_the_address_check()
    {
        await using var app = await StockApplication.StartAsync(
            builder => builder.Services.AddAuthorization().AddAuthentication().AddCookie(),
            app => app.MapGroup("/admin").RequireAuthorization().MapReplicaRouterDashboard("/replica-router"));
        using var response = await app.Client.GetAsync(new Uri("/admin/replica-router/", UriKind.Relative), Ct);
        Assert.Equal(HttpStatusCode.Redirect, response.StatusCode);
    }

    [Theory]
    [InlineData("nothing", "AddAuthorization()")]
    [InlineData("authorization", "AddAuthentication(...)")]
    [InlineData("scheme", "AddPolicy(\"staff\", ...)")]
    public async Task Without_authorization_services_the_page_says_what_to_register(string registered, string missing)
    {
        await using var app = await StockApplication.StartAsync(
            builder =>
            {
                if (registered != "nothing") builder.Services.AddAuthorization();
                if (registered == "scheme") builder.Services.AddAuthentication().AddCookie();
            },
            app => app.MapReplicaRouterDashboard("/replica-router").RequireAuthorization("staff"));
        foreach (var path in s_paths)
        {
            using var response = await app.Client.GetAsync(new Uri("/replica-router/" + path, UriKind.Relative), Ct);
            Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
            Assert.Contains(missing, await response.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
        }
    }

    [Fact]
    [Trait("Failure", "C7")]
    public async Task A_port_in_the_Host_header_does_not_open_endpoints_of_another_port()
    {
        using var inner = LoopbackPort.Any();
        await using var app = await StockApplication.StartAsync(
            builder => builder.WebHost.UseUrls("http://127.0.0.1:0", $"http://127.0.0.1:{inner.Number}"),
            app =>
            {
                app.MapGet("/inner", () => "inside").RequireLocalPort(inner.Number);
                app.MapReplicaRouterHealth().RequireLocalPort(inner.Number);
            });
        var outer = app.Ports.Single(port => port != inner.Number);
        foreach (var path in new[] { "/inner", "/api/health", "/health/live", "/health/ready" })
        {
            Assert.NotEqual(HttpStatusCode.NotFound, await StatusAsync(app, inner.Number, path, null));
            Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(app, outer, path, null));
            Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(app, outer, path, $"127.0.0.1:{inner.Number}"));
        }
    }

    private static async Task<HttpStatusCode> StatusAsync(StockApplication app, int port, string path, string? host)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"http://127.0.0.1:{port}{path}"));
        request.Headers.Host = host;
        using var response = await app.Client.SendAsync(request, Ct);
        return response.StatusCode;
    }

    private static async Task<HttpStatusCode> StatusAsync(DashboardApplication app, string? role)
    {
        using var response = await app.SendAsync(HttpMethod.Get, "", role, headers: (DashboardApplication.RemoteHeader, "10.1.2.3"));
        return response.StatusCode;
    }
}
