using System.Security.Claims;
using System.Text.Encodings.Web;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace ReplicaRouter.AspNetCore.Tests.Dashboard;

/// <summary>One application whose dashboard has operators, for all tests that leave it as it is.</summary>
public sealed class OperatedDashboard : IAsyncLifetime
{
    public static void Configure(ReplicaRouterDashboardOptions options) => options.OperatorPolicy = "operators";

    internal DashboardApplication Application { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Application = await DashboardApplication.StartAsync(Configure);

    public ValueTask DisposeAsync() => Application.DisposeAsync();
}

/// <summary>An application with the dashboard, over a server that is not there, where a header says who asks.</summary>
internal sealed partial class DashboardApplication : IAsyncDisposable
{
    private readonly WebApplication _app;

    private DashboardApplication(WebApplication app) => _app = app;

    public HttpClient Client { get; private set; } = null!;

    public DatabaseRouter Router => _app.Services.GetRequiredService<DatabaseRouter>();

    public static async Task<DashboardApplication> StartAsync(Action<ReplicaRouterDashboardOptions>? configure = null, string pathBase = "")
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddReplicaRouter(options => options.Hosts["primary"] = new HostOptions { ConnectionString = "Host=127.0.0.1;Port=1;Password=hunter2" });
        builder.Services.AddAuthentication(HeaderAuthentication.Scheme).AddScheme<AuthenticationSchemeOptions, HeaderAuthentication>(HeaderAuthentication.Scheme, null);
        builder.Services.AddAuthorizationBuilder().AddPolicy("operators", policy => policy.RequireRole("operator"));
        builder.Services.AddAntiforgery();
        var app = builder.Build();
        app.UsePathBase(pathBase);
        app.UseRouting();
        app.UseAuthentication();
        app.UseAuthorization();
        app.MapReplicaRouterDashboard("/replica-router", configure);
        await app.StartAsync(TestContext.Current.CancellationToken);
        var handler = new HttpClientHandler { AllowAutoRedirect = false, UseCookies = true };
        return new(app) { Client = new HttpClient(handler) { BaseAddress = new Uri(app.Urls.First() + pathBase + "/replica-router/") } };
    }

    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string? role = null, string? token = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (role is not null) request.Headers.Add(HeaderAuthentication.Header, role);
        if (token is not null) request.Headers.Add("RequestVerificationToken", token);
        return await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
    }

    /// <summary>The token on the page of somebody, or null when the page has none.</summary>
    public async Task<string?> TokenAsync(string? role)
    {
        using var response = await SendAsync(HttpMethod.Get, "", role);
        var match = Token().Match(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        return match.Success ? match.Groups[1].Value : null;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }

    [GeneratedRegex("name=\"operator-token\" content=\"([^\"]+)\"")]
    private static partial Regex Token();

    private sealed class HeaderAuthentication(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
    {
        public new const string Scheme = "header";
        public const string Header = "X-Role";

        protected override Task<AuthenticateResult> HandleAuthenticateAsync()
        {
            if (Request.Headers[Header].FirstOrDefault() is not { } role) return Task.FromResult(AuthenticateResult.NoResult());
            var identity = new ClaimsIdentity([new Claim(ClaimTypes.Name, role), new Claim(ClaimTypes.NameIdentifier, role), new Claim(ClaimTypes.Role, role)], Scheme);
            return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), Scheme)));
        }
    }
}
