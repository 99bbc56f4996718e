#region program
using System.Net.Http.Headers;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

var builder = WebApplication.CreateBuilder(args);
builder.AddReplicaRouter();
builder.Services.AddAuthentication("Basic").AddScheme<AuthenticationSchemeOptions, BasicAuthentication>("Basic", null);
builder.Services.AddAuthorizationBuilder().AddPolicy("operators", policy => policy.RequireUserName("operator"));
builder.Services.AddAntiforgery();

var app = builder.Build();
app.MapReplicaRouterDashboard("/replica-router", options => options.OperatorPolicy = "operators").RequireAuthorization();

app.Run();

/// <summary>Basic authentication: use https, because the browser sends the password. The expected one is in the configuration, as Dashboard__Password.</summary>
public sealed class BasicAuthentication(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, IConfiguration configuration)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (!AuthenticationHeaderValue.TryParse(Request.Headers.Authorization, out var header) || header is not { Scheme: "Basic", Parameter: { } encoded })
            return Task.FromResult(AuthenticateResult.NoResult());
        var decoded = new byte[encoded.Length];
        if (!Convert.TryFromBase64String(encoded, decoded, out var length) || Encoding.UTF8.GetString(decoded, 0, length).Split(':', 2) is not [var name, var password])
            return Task.FromResult(AuthenticateResult.Fail("The credentials cannot be read."));
        if (configuration["Dashboard:Password"] is not { Length: > 0 } expected || !CryptographicOperations.FixedTimeEquals(Hash(password), Hash(expected)))
            return Task.FromResult(AuthenticateResult.Fail("The password is wrong."));
        var user = new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.Name, name)], Scheme.Name));
        return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(user, Scheme.Name)));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.StatusCode = StatusCodes.Status401Unauthorized;
        Response.Headers.WWWAuthenticate = "Basic realm=\"dashboard\", charset=\"UTF-8\"";
        return Task.CompletedTask;
    }

    private static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
#endregion
