using System.Net;
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

/// <summary>One application whose dashboard has operators, for all tests that leave it unchanged.</summary>
public sealed class OperatedDashboard : IAsyncLifetime
{
    public static void Configure(DatabaseRouterDashboardOptions options) => options.OperatorPolicy = "operators";

    internal DashboardApplication Application { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Application = await DashboardApplication.StartAsync(Configure);

    public ValueTask DisposeAsync() => Application.DisposeAsync();
}

/// <summary>An application with the dashboard, over an unreachable server. A header states the caller's role.</summary>
internal sealed partial class DashboardApplication : IAsyncDisposable
{
    /// <summary>The header that sets a request's remote address; <c>socket</c> for none, as over a Unix socket.</summary>
    public const string RemoteHeader = "X-Test-Remote";

    private readonly WebApplication _app;

    private DashboardApplication(WebApplication app) => _app = app;

    public HttpClient Client { get; private set; } = null!;

    public DatabaseRouter Router => _app.Services.GetRequiredService<DatabaseRouter>();

    public DatabaseRouter RouterOf(string name) => _app.Services.GetRequiredKeyedService<DatabaseRouter>(name);

    /// <param name="configure">The dashboard's options.</param>
    /// <param name="pathBase">A prefix of all paths.</param>
    /// <param name="services">Registers further services.</param>
    /// <param name="pipeline">Adds middleware before the endpoints.</param>
    /// <param name="access">Configures who may see the dashboard.</param>
    public static async Task<DashboardApplication> StartAsync(
        Action<DatabaseRouterDashboardOptions>? configure = null, string pathBase = "", Action<IServiceCollection>? services = null,
        Action<WebApplication>? pipeline = null, Action<IEndpointConventionBuilder>? access = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddReplicaRouter(options => options.Hosts["primary"] = new DatabaseHostOptions { ConnectionString = "Host=127.0.0.1;Port=1;Password=hunter2" });
        builder.Services.AddAuthentication(HeaderAuthentication.Scheme).AddScheme<AuthenticationSchemeOptions, HeaderAuthentication>(HeaderAuthentication.Scheme, null);
        builder.Services.AddAuthorizationBuilder().AddPolicy("operators", policy => policy.RequireRole("operator"));
        builder.Services.AddAntiforgery();
        services?.Invoke(builder.Services);
        var app = builder.Build();
        app.UsePathBase(pathBase);
        app.Use((context, next) =>
        {
            // All requests of a test come from one machine.
            if (context.Request.Headers.Remove(RemoteHeader, out var remote)) context.Connection.RemoteIpAddress = remote == "socket" ? null : IPAddress.Parse(remote!);
            return next(context);
        });
        pipeline?.Invoke(app);
        app.UseRouting();
        app.UseAuthentication();
        app.UseAuthorization();
        var dashboard = app.MapReplicaRouterDashboard("/replica-router", configure);
        access?.Invoke(dashboard);
        await app.StartAsync(TestContext.Current.CancellationToken);
        var handler = new HttpClientHandler { AllowAutoRedirect = false, UseCookies = true };
        return new(app) { Client = new HttpClient(handler) { BaseAddress = new Uri(app.Urls.First() + pathBase + "/replica-router/") } };
    }

    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string? role = null, string? token = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        if (role is not null) request.Headers.Add(HeaderAuthentication.Header, role);
        if (token is not null) request.Headers.Add("RequestVerificationToken", token);
        return await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
    }

    /// <summary>Returns the token on the page that a role sees, or null if that page has none.</summary>
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
