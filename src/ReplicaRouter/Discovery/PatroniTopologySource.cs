using System.Diagnostics.CodeAnalysis;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ReplicaRouter.Discovery;

/// <summary>Asks Patroni's members for their cluster, the one that answered last first.</summary>
/// <remarks>
/// An answer may come from an attacker. It is bounded, leads to no redirect, and names further members that are asked without the configured ones' credentials:
/// only the configured ones get the user and password that their URLs hold. An answer may name allowed hosts only, as servers and as members to ask.
/// Source: Patroni's manual, "Patroni REST API", <c>GET /cluster</c>.
/// </remarks>
[SuppressMessage("Reliability", "CA1001", Justification = "What the client keeps open ends by itself within a minute of the last question.")]
internal sealed class PatroniTopologySource(
    IReadOnlyList<Uri> urls, X509Certificate2Collection? authorities, TimeSpan timeout, AllowedHosts allowed) : IHostDiscoverySource
{
    private const int LongestAnswer = 1 << 20;

    private readonly HttpClient _http = new(Handler(authorities)) { Timeout = Timeout.InfiniteTimeSpan, MaxResponseContentBufferSize = LongestAnswer };
    private readonly IReadOnlyList<Uri> _configured = urls;
    private IReadOnlyList<Uri> _urls = urls;

    public string Name => "patroni";

    public async Task<DiscoveryResult> FindHostsAsync(CancellationToken cancellationToken)
    {
        Exception? last = null;
        foreach (var url in _urls)
        {
            try
            {
                var cluster = await AskAsync(url, cancellationToken).ConfigureAwait(false);
                var answer = new DiscoveryResult([.. cluster.Members.Where(member => member is { Host: not null, Port: not null }).Select(Host)]);
                if (answer.Hosts.Count == 0) continue;
                Remember(url, cluster);
                return answer;
            }
            catch (Exception e) when (e is HttpRequestException or JsonException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
            {
                last = e;
            }
        }

        throw new HttpRequestException($"None of {_urls.Count} members told its cluster.{(last is null ? "" : $" The last one: {last.Message}")}", last);
    }

    /// <param name="authorities">What signed the members' certificates; null for what the system trusts.</param>
    private static SocketsHttpHandler Handler(X509Certificate2Collection? authorities)
    {
        // Addresses of members change, and a connection to one that is gone is no use.
        var handler = new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(1), UseProxy = false, AllowAutoRedirect = false, UseCookies = false };
        if (authorities is null) return handler;
        // A private authority publishes no revocation list as a rule, and without one every certificate would be refused.
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.AddRange(authorities);
        handler.SslOptions.CertificateChainPolicy = policy;
        return handler;
    }

    private async Task<Cluster> AskAsync(Uri url, CancellationToken cancellationToken)
    {
        // One that is silent must leave time for the others.
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(timeout / Math.Min(_urls.Count, 3));
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(url, "/cluster"));
        if (url.UserInfo.Length > 0) request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(url.UserInfo))));
        using var response = await _http.SendAsync(request, limit.Token).ConfigureAwait(false);
        response.EnsureSuccessStatusCode();
        var body = await response.Content.ReadAsByteArrayAsync(limit.Token).ConfigureAwait(false);
        var cluster = JsonSerializer.Deserialize(body, PatroniJson.Default.Cluster) ?? throw new JsonException("The answer is empty.");
        return cluster.Members.Count <= RouterConfiguration.MostHosts ? cluster : throw new JsonException($"The answer has more than {RouterConfiguration.MostHosts} members.");
    }

    /// <summary>The next question goes to the member that answered, then to the configured ones, then to those that the answer names.</summary>
    private void Remember(Uri answered, Cluster cluster) =>
        _urls = [.. _configured.Prepend(answered).Concat(cluster.Members.Select(member => ApiOf(member, answered)).OfType<Uri>()).DistinctBy(url => url.Authority)];

    /// <returns>Where to ask a member that an answer names: on an allowed host, over https if the answer came by it, and without anybody's credentials.</returns>
    private Uri? ApiOf(Member member, Uri answered) =>
        Uri.TryCreate(member.ApiUrl, UriKind.Absolute, out var url) && url.Scheme == answered.Scheme && HostAddress.IsValid(url.IdnHost) && allowed.Allow(url.IdnHost)
            ? new UriBuilder(url.Scheme, url.Host, url.Port).Uri
            : null;

    private static DiscoveredHost Host(Member member) => new(member.Host!, member.Port!.Value)
    {
        Name = member.Name,
        IsPrimary = member.Role is "leader" or "master" or "primary",
        Groups = member.Tags?.TryGetValue("noloadbalance", out var excluded) == true && excluded.ValueKind == JsonValueKind.True ? [] : null,
        Labels = [.. (member.Tags ?? []).Select(tag => $"{tag.Key}={Text(tag.Value)}").Where(label => PlainText.IsPlain(label, AnswerCheck.LongestLabel)).Take(AnswerCheck.MostLabels)],
    };

    private static string Text(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();

    internal sealed record Cluster([property: JsonRequired] IReadOnlyList<Member> Members);

    internal sealed record Member(string? Name, string? Role, string? Host, int? Port, [property: JsonPropertyName("api_url")] string? ApiUrl, Dictionary<string, JsonElement>? Tags);
}

[JsonSourceGenerationOptions(PropertyNameCaseInsensitive = true)]
[JsonSerializable(typeof(PatroniTopologySource.Cluster))]
internal sealed partial class PatroniJson : JsonSerializerContext;
