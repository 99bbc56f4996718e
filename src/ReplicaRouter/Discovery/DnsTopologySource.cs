using System.Net;
using DnsClient;

namespace ReplicaRouter.Discovery;

/// <summary>Finds hosts by A and AAAA records, or by SRV records. Their time to live determines the next query.</summary>
internal sealed class DnsTopologySource(string name, int port, IPEndPoint? nameserver) : IHostDiscoverySource
{
    private readonly LookupClient _client = ClientOf(nameserver is null ? new LookupClientOptions() : new LookupClientOptions(nameserver));

    public string Name => "dns";

    public Task<DiscoveryResult> FindHostsAsync(CancellationToken cancellationToken) =>
        name.StartsWith('_') ? FindByServiceAsync(cancellationToken) : FindByAddressAsync(cancellationToken);

    private static LookupClient ClientOf(LookupClientOptions options)
    {
        // The router queries only when its last answer has expired, and then needs a new one.
        options.UseCache = false;
        options.Timeout = TimeSpan.FromSeconds(2);
        options.Retries = 1;
        return new LookupClient(options);
    }

    private async Task<DiscoveryResult> FindByServiceAsync(CancellationToken cancellationToken)
    {
        var records = (await QueryAsync(QueryType.SRV, cancellationToken).ConfigureAwait(false)).Answers.SrvRecords().ToList();
        // SRV weights can exceed our maximum of 100.
        var most = Math.Max(100, records.Select(record => (int)record.Weight).DefaultIfEmpty().Max());
        return Answer(
            [.. records.Select(record => new DiscoveredHost(record.Target.Value.TrimEnd('.'), record.Port) { Weight = Math.Max(1, record.Weight * 100 / most) })],
            records.Select(record => record.InitialTimeToLive));
    }

    private async Task<DiscoveryResult> FindByAddressAsync(CancellationToken cancellationToken)
    {
        var answers = await Task.WhenAll(QueryAsync(QueryType.A, cancellationToken), QueryAsync(QueryType.AAAA, cancellationToken)).ConfigureAwait(false);
        var records = answers.SelectMany(answer => answer.Answers.AddressRecords()).ToList();
        return Answer([.. records.Select(record => new DiscoveredHost(record.Address.ToString(), port))], records.Select(record => record.InitialTimeToLive));
    }

    /// <exception cref="DnsResponseException">The server could not answer. Half an answer would remove healthy hosts.</exception>
    private async Task<IDnsQueryResponse> QueryAsync(QueryType type, CancellationToken cancellationToken)
    {
        var response = await _client.QueryAsync(name, type, cancellationToken: cancellationToken).ConfigureAwait(false);
        return response.HasError && response.Header.ResponseCode != DnsHeaderResponseCode.NotExistentDomain
            ? throw new DnsResponseException((DnsResponseCode)response.Header.ResponseCode, $"The {type} query for {name} failed: {response.ErrorMessage}")
            : response;
    }

    private static DiscoveryResult Answer(DiscoveredHost[] hosts, IEnumerable<int> timesToLive) =>
        new(hosts) { ValidFor = TimeSpan.FromSeconds(timesToLive.DefaultIfEmpty().Min()) };
}
