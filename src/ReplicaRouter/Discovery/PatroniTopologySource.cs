using System.Diagnostics.CodeAnalysis;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ReplicaRouter;

/// <summary>Asks Patroni's members for their cluster, the one that answered last first.</summary>
/// <remarks>Source: Patroni's manual, "Patroni REST API", <c>GET /cluster</c>.</remarks>
[SuppressMessage("Reliability", "CA1001", Justification = "What the client keeps open ends by itself within a minute of the last question.")]
internal sealed class PatroniTopologySource : ITopologySource
{
    private readonly IReadOnlyList<Uri> _configured;
    private readonly TimeSpan _timeout;
    private readonly HttpClient _http;
    private IReadOnlyList<Uri> _urls;

    public PatroniTopologySource(IReadOnlyList<Uri> urls, string? authorityFile, TimeSpan timeout)
    {
        (_configured, _urls, _timeout) = (urls, urls, timeout);
        _http = new HttpClient(Handler(authorityFile)) { Timeout = Timeout.InfiniteTimeSpan };
    }

    public string Name => "patroni";

    public async Task<TopologyAnswer> FindHostsAsync(CancellationToken cancellationToken)
    {
        Exception? last = null;
        foreach (var url in _urls)
        {
            try
            {
                var cluster = await AskAsync(url, cancellationToken).ConfigureAwait(false);
                var answer = new TopologyAnswer([.. cluster.Members.Where(member => member is { Host: not null, Port: not null }).Select(Host)]);
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

    private static SocketsHttpHandler Handler(string? authorityFile)
    {
        // Addresses of members change, and a connection to one that is gone is no use.
        var handler = new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(1), UseProxy = false };
        if (authorityFile is null) return handler;
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust };
        handler.SslOptions.CertificateChainPolicy.CustomTrustStore.ImportFromPemFile(authorityFile);
        return handler;
    }

    private async Task<Cluster> AskAsync(Uri url, CancellationToken cancellationToken)
    {
        // One that is silent must leave time for the others.
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_timeout / Math.Min(_urls.Count, 3));
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(url, "/cluster"));
        if (url.UserInfo.Length > 0) request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(url.UserInfo))));
        using var response = await _http.SendAsync(request, limit.Token).ConfigureAwait(false);
        response.EnsureSuccessStatusCode();
        var body = await response.Content.ReadAsStreamAsync(limit.Token).ConfigureAwait(false);
        await using var _ = body.ConfigureAwait(false);
        return await JsonSerializer.DeserializeAsync(body, PatroniJson.Default.Cluster, limit.Token).ConfigureAwait(false) ?? throw new JsonException("The answer is empty.");
    }

    /// <summary>Asks whoever answered first the next time, then those who are configured, then those whom it knows.</summary>
    private void Remember(Uri answered, Cluster cluster)
    {
        var members = cluster.Members.Select(member => Uri.TryCreate(member.ApiUrl, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" ? url : null).OfType<Uri>();
        _urls = [.. _configured.Prepend(answered).Concat(members.Select(url => WithUserOf(answered, url))).DistinctBy(url => url.Authority)];
    }

    private static Uri WithUserOf(Uri answered, Uri member) =>
        new UriBuilder(member.Scheme, member.Host, member.Port) is var builder && answered.UserInfo.Split(':', 2) is [var user, var password] && answered.Scheme == member.Scheme
            ? new UriBuilder(builder.Uri) { UserName = user, Password = password }.Uri
            : builder.Uri;

    private static DiscoveredHost Host(Member member) => new(member.Host!, member.Port!.Value)
    {
        Name = member.Name,
        IsPrimary = member.Role is "leader" or "master" or "primary",
        Groups = member.Tags?.TryGetValue("noloadbalance", out var excluded) == true && excluded.ValueKind == JsonValueKind.True ? [] : null,
        Labels = [.. (member.Tags ?? []).Select(tag => $"{tag.Key}={Text(tag.Value)}")],
    };

    private static string Text(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();

    internal sealed record Cluster([property: JsonRequired] IReadOnlyList<Member> Members);

    internal sealed record Member(string? Name, string? Role, string? Host, int? Port, [property: JsonPropertyName("api_url")] string? ApiUrl, Dictionary<string, JsonElement>? Tags);
}

[JsonSourceGenerationOptions(PropertyNameCaseInsensitive = true)]
[JsonSerializable(typeof(PatroniTopologySource.Cluster))]
internal sealed partial class PatroniJson : JsonSerializerContext;
