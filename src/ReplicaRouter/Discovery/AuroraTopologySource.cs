using System.Collections.Immutable;
using System.Globalization;
using Npgsql;

namespace ReplicaRouter.Discovery;

/// <summary>Queries an Amazon Aurora cluster for its instances. Every instance knows all of them.</summary>
/// <remarks>Source: Amazon Aurora's user guide, "aurora_replica_status".</remarks>
internal sealed class AuroraTopologySource(
    string hostPattern, ImmutableArray<HostConfiguration> hosts, HostLogin login) : IHostDiscoverySource
{
    /// <summary>Skips deleted instances: their rows stay in the view for a while, but are no longer updated.</summary>
    private const string Instances =
        "SELECT server_id, session_id = 'MASTER_SESSION_ID' FROM aurora_replica_status() " +
        "WHERE session_id = 'MASTER_SESSION_ID' OR last_update_timestamp > now() - interval '5 minutes'";

    public string Name => "aurora";

    public async Task<DiscoveryResult> FindHostsAsync(CancellationToken cancellationToken)
    {
        Exception? last = null;
        foreach (var host in hosts)
        {
            try
            {
                return await AskAsync(host, cancellationToken).ConfigureAwait(false);
            }
            catch (NpgsqlException e) when (!cancellationToken.IsCancellationRequested)
            {
                last = e;
            }
        }

        throw new NpgsqlException($"None of the {hosts.Length} configured hosts returned the cluster's instances. {last?.Message}", last);
    }

    private async Task<DiscoveryResult> AskAsync(HostConfiguration host, CancellationToken cancellationToken)
    {
        var builder = Credentials.Unpooled(host, login);
        builder.ConnectionStringBuilder.Timeout = 2;
        var dataSource = builder.Build();
        await using var _ = dataSource.ConfigureAwait(false);
        var command = dataSource.CreateCommand(Instances);
        await using var __ = command.ConfigureAwait(false);
        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var ___ = reader.ConfigureAwait(false);
        List<DiscoveredHost> found = [];
        while (found.Count <= RouterConfiguration.MostHosts && await reader.ReadAsync(cancellationToken).ConfigureAwait(false)) found.Add(Of(reader.GetString(0), reader.GetBoolean(1)));
        return new DiscoveryResult(found);
    }

    /// <summary>Whether a pattern makes a valid address from an instance's name.</summary>
    public static bool IsPattern(string pattern) =>
        pattern.Count(c => c == '?') == 1 && TrySplit(pattern.Replace('?', '1'), out var address, out _) && HostAddress.IsValid(address);

    /// <exception cref="InvalidDataException">Aurora does not give such a name, which could lead to any address.</exception>
    private DiscoveredHost Of(string instance, bool isWriter) =>
        HostAddress.IsLabel(instance) && TrySplit(hostPattern.Replace("?", instance, StringComparison.Ordinal), out var address, out var port)
            ? new DiscoveredHost(address, port) { Name = instance, IsPrimary = isWriter }
            : throw new InvalidDataException("an instance's name has characters that Aurora does not allow");

    private static bool TrySplit(string text, out string address, out int port)
    {
        var colon = text.LastIndexOf(':');
        (address, port) = (colon < 0 ? text : text[..colon], 5432);
        return colon < 0 || int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port);
    }
}
