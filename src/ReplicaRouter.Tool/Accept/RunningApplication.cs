using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Authentication;
using System.Text;
using System.Text.Json;
using ReplicaRouter.Tool.CommandLine;

namespace ReplicaRouter.Tool.Accept;

/// <summary>A running application, reached through the operator endpoints of its dashboard.</summary>
internal sealed class RunningApplication : IDisposable
{
    public const string TokenVariable = "REPLICA_ROUTER_APP_TOKEN";

    /// <summary>Far more than the endpoints return; limits what an untrusted server can send.</summary>
    private const int MostBytes = 64 * 1024;

    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(15);

    private readonly HttpClient _http;

    public RunningApplication(Uri address)
    {
        // The antiforgery token travels in both a cookie and a header. A redirect would lead to a sign-in page, and take the credentials elsewhere.
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = true, CookieContainer = new CookieContainer() };
        _http = new HttpClient(handler) { BaseAddress = WithoutCredentials(address), Timeout = s_timeout, MaxResponseContentBufferSize = MostBytes };
        _http.DefaultRequestHeaders.Authorization = CredentialsOf(address);
    }

    /// <summary>Whether the text can be a dashboard's address. A password that is not percent-encoded would end up in the port, the path or the query.</summary>
    public static bool IsAddress(string text) => Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https"
        && url.Query.Length == 0 && url.Fragment.Length == 0 && !url.AbsolutePath.Contains('@', StringComparison.Ordinal);

    /// <exception cref="ToolException">The application does not answer, or refuses.</exception>
    public async Task<Preview> PreviewAsync(string host, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, PathOf(host));
        using var response = await SendAsync(request, ct);
        await CheckAsync(response, ct);
        return await response.Content.ReadFromJsonAsync<Preview>(ct) ?? throw new ToolException("The application's answer is empty.");
    }

    /// <exception cref="ToolException">The application does not answer, or refuses the order.</exception>
    public async Task AcceptAsync(string host, Preview preview, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, PathOf(host));
        request.Headers.Add(preview.Header, preview.Token);
        using var response = await SendAsync(request, ct);
        await CheckAsync(response, ct);
    }

    public void Dispose() => _http.Dispose();

    private static Uri WithoutCredentials(Uri address) => new UriBuilder(address) { UserName = "", Password = "", Path = address.AbsolutePath.TrimEnd('/') + "/" }.Uri;

    /// <summary>Returns the URL's user and password, or else the variable's token.</summary>
    private static AuthenticationHeaderValue? CredentialsOf(Uri address)
    {
        if (address.UserInfo.Length > 0)
        {
            var parts = address.UserInfo.Split(':', 2);
            var login = $"{Uri.UnescapeDataString(parts[0])}:{Uri.UnescapeDataString(parts.ElementAtOrDefault(1) ?? "")}";
            return new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(login)));
        }

        return Environment.GetEnvironmentVariable(TokenVariable) is { Length: > 0 } token ? new AuthenticationHeaderValue("Bearer", token) : null;
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken ct)
    {
        try
        {
            return await _http.SendAsync(request, ct);
        }
        catch (HttpRequestException e)
        {
            throw new ToolException($"No application answers at the address of --app: {(e.InnerException is AuthenticationException tls ? tls.Message : e.Message)}. Start the application, or correct --app.");
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new ToolException($"The application did not answer within {s_timeout.TotalSeconds:0} s. Check the application, or correct --app.");
        }
    }

    private static string PathOf(string host) => $"hosts/{Uri.EscapeDataString(host)}/accept";

    private static async Task CheckAsync(HttpResponseMessage response, CancellationToken ct)
    {
        if (response.IsSuccessStatusCode) return;
        throw new ToolException(response.StatusCode switch
        {
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.Redirect or HttpStatusCode.Found =>
                $"The application refused the order ({(int)response.StatusCode}). Its dashboard needs OperatorPolicy, and 'accept' needs credentials that satisfy it: a bearer token in the variable {TokenVariable}, "
                + "or a user and password in the URL for Basic authentication (--app https://USER:PASSWORD@shop.internal/replica-router).",
            HttpStatusCode.BadRequest => "The application rejected the antiforgery token (400). Over http, its cookie must not be limited to https.",
            _ => await DetailOfAsync(response, ct) ?? $"The application answered {(int)response.StatusCode}. Check that --app is the address of a dashboard of this version.",
        });
    }

    private static async Task<string?> DetailOfAsync(HttpResponseMessage response, CancellationToken ct)
    {
        try
        {
            var problem = await response.Content.ReadFromJsonAsync<JsonElement>(ct);
            return problem.TryGetProperty("detail", out var detail) ? detail.GetString() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>What an order would change, as the application reports it beforehand.</summary>
    internal sealed record Preview(string Accepted, string Former, string[] GivenUp, string Header, string Token);
}
