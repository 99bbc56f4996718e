using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using ReplicaRouter.Tool.CommandLine;

namespace ReplicaRouter.Tool.Accept;

/// <summary>A running application, by the operators' endpoints of its dashboard.</summary>
internal sealed class RunningApplication : IDisposable
{
    public const string TokenVariable = "REPLICA_ROUTER_APP_TOKEN";

    /// <summary>Far above what the endpoints answer: whoever answers there is not trusted to end.</summary>
    private const int MostBytes = 64 * 1024;

    private readonly HttpClient _http;

    public RunningApplication(Uri address)
    {
        // The order carries the antiforgery token in a cookie and in a header. A redirect would lead to a sign-in page, and the credentials elsewhere.
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = true, CookieContainer = new CookieContainer() };
        _http = new HttpClient(handler) { BaseAddress = new Uri(address.AbsoluteUri.TrimEnd('/') + "/"), Timeout = TimeSpan.FromSeconds(15), MaxResponseContentBufferSize = MostBytes };
        if (Environment.GetEnvironmentVariable(TokenVariable) is { Length: > 0 } token) _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    /// <exception cref="ToolException">The application does not tell.</exception>
    public async Task<Preview> PreviewAsync(string host, CancellationToken ct)
    {
        using var response = await _http.GetAsync(PathOf(host), ct);
        await CheckAsync(response, ct);
        return await response.Content.ReadFromJsonAsync<Preview>(ct) ?? throw new ToolException("The application's answer is empty.");
    }

    /// <exception cref="ToolException">The application refuses.</exception>
    public async Task AcceptAsync(string host, Preview preview, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, PathOf(host));
        request.Headers.Add(preview.Header, preview.Token);
        using var response = await _http.SendAsync(request, ct);
        await CheckAsync(response, ct);
    }

    public void Dispose() => _http.Dispose();

    private static string PathOf(string host) => $"hosts/{Uri.EscapeDataString(host)}/accept";

    private static async Task CheckAsync(HttpResponseMessage response, CancellationToken ct)
    {
        if (response.IsSuccessStatusCode) return;
        throw new ToolException(response.StatusCode switch
        {
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.Redirect or HttpStatusCode.Found =>
                $"The application takes no order from you ({(int)response.StatusCode}): its dashboard needs OperatorPolicy, and you a bearer token in {TokenVariable} that passes it.",
            HttpStatusCode.BadRequest => "The application refuses the order's antiforgery token (400). Over http, its cookie must not be limited to https.",
            _ => await DetailOfAsync(response, ct) ?? $"The application answered {(int)response.StatusCode}: is there a dashboard of this version at that address?",
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

    /// <summary>What the application answers about an order before it is given.</summary>
    internal sealed record Preview(string Accepted, string Former, string[] GivenUp, string Header, string Token);
}
