using System.Diagnostics.CodeAnalysis;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ReplicaRouter.Discovery;

/// <summary>Queries Patroni members for their cluster, starting with the one that answered last.</summary>
/// <remarks>
/// An answer can come from an attacker. Its size is bounded, redirects are not followed, and members that it names are queried without credentials: only
/// configured members get the user and password of their URLs. Only allowed hosts are accepted, both as servers and as members to query.
/// Source: Patroni's manual, "Patroni REST API", <c>GET /cluster</c>.
/// </remarks>
[SuppressMessage("Reliability", "CA1001", Justification = "The client's connections close automatically within a minute of the last query.")]
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

        throw new HttpRequestException($"None of the {_urls.Count} members returned the cluster.{(last is null ? "" : $" Last error: {last.Message}")}", last);
    }

    /// <param name="authorities">The authorities of the members' certificates; null for those that the system trusts.</param>
    private static SocketsHttpHandler Handler(X509Certificate2Collection? authorities)
    {
        // The addresses of members change, and connections to former ones are useless.
        var handler = new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(1), UseProxy = false, AllowAutoRedirect = false, UseCookies = false };
        if (authorities is null) return handler;
        // Private authorities usually publish no revocation list, without which every certificate would be refused.
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.AddRange(authorities);
        handler.SslOptions.CertificateChainPolicy = policy;
        return handler;
    }

    private async Task<Cluster> AskAsync(Uri url, CancellationToken cancellationToken)
    {
        // A silent member must leave time for the others.
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

    /// <summary>Orders the members for the next query: the one that answered, then the configured ones, then those that the answer names.</summary>
    private void Remember(Uri answered, Cluster cluster) =>
        _urls = [.. _configured.Prepend(answered).Concat(cluster.Members.Select(member => ApiOf(member, answered)).OfType<Uri>()).DistinctBy(url => url.Authority)];

    /// <returns>The REST API of a member that an answer names, without credentials; null unless it is on an allowed host and has the scheme of the answer's URL.</returns>
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
