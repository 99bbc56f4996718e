using System.Net;

namespace ReplicaRouter.ConnectionStrings;

/// <summary>Which hosts and ports a URL names: those before its query, in whose place the query may put others.</summary>
/// <remarks>
/// Source: libpq's <c>conninfo_uri_parse_options</c> and <c>pqConnectOptions2</c>. The list of hosts and the list of ports are replaced each by itself: a port
/// before the query is one of the hosts in it, too.
/// </remarks>
internal static class UrlHosts
{
    /// <summary>The hosts of a URL: those before its query as they are written, and the parameters by which it gives others, null where it has none.</summary>
    public static IReadOnlyList<ServerAddress> Of(string authority, string? host, string? hostaddr, string? port)
    {
        (string Host, string? Port)[] written = [.. authority.Split(',').Select(ServerAddress.Split).Select(each => (ConnectionUrl.Decode(each.Host), each.Port))];
        string[] hosts = host?.Split(',') ?? [.. written.Select(each => each.Host)];
        if (host is not null && hosts.Any(HasPort)) throw new ConnectionStringException("has a colon in 'host'. Write the port as 'port', and an IPv6 address without brackets.");
        if (!string.IsNullOrEmpty(hostaddr)) hosts = Addresses(hostaddr, hosts);
        string?[] ports = [.. port is null ? written.Select(each => each.Port) : port.Split(',')];
        if (ports.Length != 1 && ports.Length != hosts.Length) throw new ConnectionStringException("has another number of ports than of hosts. Write one port for all, or one for each.");
        return [.. hosts.Select((each, index) => ServerAddress.Of(each, ports[ports.Length == 1 ? 0 : index]))];
    }

    /// <summary>libpq connects to these, and checks the certificate against the hosts. Npgsql has one name for both.</summary>
    private static string[] Addresses(string hostaddr, string[] hosts)
    {
        if (hosts.Any(each => each.Length > 0)) throw new ConnectionStringException("has both a host and 'hostaddr'. Npgsql connects to the host whose certificate it checks: leave one of them out.");
        var addresses = hostaddr.Split(',');
        return addresses.All(address => IPAddress.TryParse(address, out _)) ? addresses : throw new ConnectionStringException("has a 'hostaddr' that is no IP address.");
    }

    private static bool HasPort(string host) => !host.StartsWith('/') && host.Contains(':', StringComparison.Ordinal) && (host.StartsWith('[') || !IPAddress.TryParse(host, out _));
}
