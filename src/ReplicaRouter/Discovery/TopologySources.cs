using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ReplicaRouter.Discovery;

internal static class TopologySources
{
    public static ImmutableArray<IHostDiscoverySource> Of(
        DatabaseRouterOptions options, ImmutableArray<HostConfiguration> hosts, HostLogin login, AllowedHosts allowed, List<string> faults)
    {
        var (discovery, key) = (options.Discovery, $"{options.Names.Section}:Discovery");
        IHostDiscoverySource?[] builtIn =
        [
            Dns(discovery.Dns, $"{key}:Dns", faults),
            Patroni(discovery.Patroni, $"{key}:Patroni", discovery.Timeout, allowed, faults),
            Aurora(discovery.Aurora, $"{key}:Aurora", hosts, login, faults),
        ];
        ImmutableArray<IHostDiscoverySource> sources = [.. builtIn.OfType<IHostDiscoverySource>(), .. discovery.AddedSources];
        foreach (var duplicates in sources.GroupBy(source => source.Name, StringComparer.OrdinalIgnoreCase).Where(group => group.Count() > 1))
        {
            faults.Add($"Two discovery sources have the name '{duplicates.Key}'. Give each a unique name.");
        }

        return sources;
    }

    private static DnsTopologySource? Dns(DnsDiscoveryOptions options, string key, List<string> faults)
    {
        var before = faults.Count;
        if (options.Port is < 1 or > 65535) faults.Add($"{key}:Port is {options.Port}. Write a number from 1 to 65535.");
        if (options.Name is not null && Uri.CheckHostName(options.Name.Replace('_', 'x')) != UriHostNameType.Dns) faults.Add($"{key}:Name is not a DNS name. Write one such as replicas.db.internal or _postgresql._tcp.db.internal.");
        IPEndPoint? nameserver = null;
        if (options.Nameserver is { } server && !IPEndPoint.TryParse(server, out nameserver)) faults.Add($"{key}:Nameserver is not an address. Write an IP address or IP:port.");
        if (nameserver is { Port: 0 }) nameserver.Port = 53;
        return faults.Count > before || options.Name is null ? null : new DnsTopologySource(options.Name, options.Port, nameserver);
    }

    private static PatroniTopologySource? Patroni(PatroniDiscoveryOptions options, string key, TimeSpan timeout, AllowedHosts allowed, List<string> faults)
    {
        if (options.Urls.Count == 0) return null;
        List<Uri> urls = [];
        foreach (var text in options.Urls)
        {
            // User information can contain a password, so no message repeats the value.
            if (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https") urls.Add(url);
            else faults.Add($"{key}:Urls contains a value that is not an http or https URL. Write the address of a member's REST API, such as http://db-1:8008.");
        }

        var authorities = options.CertificateAuthorityFile is { } file ? Authorities(file, $"{key}:CertificateAuthorityFile", faults) : null;
        return urls.Count == options.Urls.Count ? new PatroniTopologySource(urls, authorities, timeout, allowed) : null;
    }

    private static X509Certificate2Collection Authorities(string file, string key, List<string> faults)
    {
        var authorities = new X509Certificate2Collection();
        try
        {
            authorities.ImportFromPemFile(file);
            if (authorities.Count == 0) faults.Add($"{key} names a file without a certificate in PEM format.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            faults.Add($"{key} names a file that {(e is CryptographicException ? "contains a damaged certificate" : File.Exists(file) ? "can't be read" : "does not exist")}.");
        }

        return authorities;
    }

    private static AuroraTopologySource? Aurora(AuroraDiscoveryOptions options, string key, ImmutableArray<HostConfiguration> hosts, HostLogin login, List<string> faults)
    {
        if (options.HostPattern is not { } pattern) return null;
        if (AuroraTopologySource.IsPattern(pattern)) return new AuroraTopologySource(pattern, hosts, login);
        faults.Add($"{key}:HostPattern is not an address with one question mark. Write an instance's address with one ? for its name, like ?.abc123.eu-west-1.rds.amazonaws.com.");
        return null;
    }
}
