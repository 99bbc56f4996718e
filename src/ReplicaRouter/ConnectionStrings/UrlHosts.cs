using System.Net;

namespace ReplicaRouter.ConnectionStrings;

/// <summary>The hosts and ports of a URL: those before its query, unless the query replaces them.</summary>
/// <remarks>
/// Source: libpq's <c>conninfo_uri_parse_options</c> and <c>pqConnectOptions2</c>. The query replaces the list of hosts and the list of ports independently: a port
/// before the query also applies to hosts in the query.
/// </remarks>
internal static class UrlHosts
{
    /// <summary>Returns the hosts of a URL, from the raw text before its query and from parameters of the query, which are null if missing.</summary>
    public static IReadOnlyList<ServerAddress> Of(string authority, string? host, string? hostaddr, string? port)
    {
        (string Host, string? Port)[] written = [.. authority.Split(',').Select(ServerAddress.Split).Select(each => (ConnectionUrl.Decode(each.Host), each.Port))];
        string[] hosts = host?.Split(',') ?? [.. written.Select(each => each.Host)];
        if (host is not null && hosts.Any(HasPort)) throw new ConnectionStringException("has a colon in 'host'. Write the port in 'port', and an IPv6 address without brackets.");
        if (!string.IsNullOrEmpty(hostaddr)) hosts = Addresses(hostaddr, hosts);
        string?[] ports = [.. port is null ? written.Select(each => each.Port) : port.Split(',')];
        if (ports.Length != 1 && ports.Length != hosts.Length) throw new ConnectionStringException("has a different number of ports than hosts. Write one port for all hosts, or one for each.");
        return [.. hosts.Select((each, index) => ServerAddress.Of(each, ports[ports.Length == 1 ? 0 : index]))];
    }

    /// <summary>Returns the addresses of <c>hostaddr</c>. libpq connects to them, and checks the certificate against <c>host</c>; Npgsql uses one name for both.</summary>
    private static string[] Addresses(string hostaddr, string[] hosts)
    {
        if (hosts.Any(each => each.Length > 0)) throw new ConnectionStringException("has both a host and 'hostaddr'. Npgsql connects to the host whose certificate it checks: remove one of them.");
        var addresses = hostaddr.Split(',');
        return addresses.All(address => IPAddress.TryParse(address, out _)) ? addresses : throw new ConnectionStringException("has a 'hostaddr' that is not an IP address.");
    }

    private static bool HasPort(string host) => !host.StartsWith('/') && host.Contains(':', StringComparison.Ordinal) && (host.StartsWith('[') || !IPAddress.TryParse(host, out _));
}
