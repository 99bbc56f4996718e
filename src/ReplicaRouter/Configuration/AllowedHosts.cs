using System.Collections.Immutable;
using System.Globalization;
using System.Net;

namespace ReplicaRouter.Configuration;

/// <summary>The hosts that sources are allowed to name: names, <c>*.suffix</c> wildcards, addresses or networks.</summary>
internal sealed record AllowedHosts(ImmutableArray<string> Entries)
{
    private const string Wildcard = "*.";

    /// <summary>Whether there is no list, and sources can name any host.</summary>
    public bool AreAny => Entries.IsEmpty;

    public static AllowedHosts Parse(IEnumerable<string> entries, string key, List<string> faults)
    {
        ImmutableArray<string> given = [.. entries.Select(entry => (entry ?? "").Trim().TrimEnd('.'))];
        foreach (var (index, entry) in given.Index().Where(pair => !IsValid(pair.Item)))
        {
            faults.Add(string.Create(CultureInfo.InvariantCulture,
                $"{key}:{index} is not a host. Write a name (db-1.internal), a wildcard (*.db.internal), an address, or a network (10.0.0.0/8)."));
        }

        return new AllowedHosts([.. given.Where(IsValid)]);
    }

    /// <summary>Whether a source is allowed to name this address. Names are not resolved: an allowed name is trusted with any address that DNS returns for it.</summary>
    public bool Allow(string address)
    {
        if (AreAny) return true;
        if (IPAddress.TryParse(address, out var ip)) return Entries.Any(entry => NetworkOf(entry)?.Contains(ip.IsIPv4MappedToIPv6 ? ip.MapToIPv4() : ip) ?? false);
        var name = address.TrimEnd('.');
        return Entries.Any(entry => IsWildcard(entry) ? name.EndsWith(entry[1..], StringComparison.OrdinalIgnoreCase) : name.Equals(entry, StringComparison.OrdinalIgnoreCase));
    }

    private static bool IsValid(string entry) => NetworkOf(entry) is not null || HostAddress.IsValid(IsWildcard(entry) ? entry[Wildcard.Length..] : entry);

    private static bool IsWildcard(string entry) => entry.StartsWith(Wildcard, StringComparison.Ordinal);

    private static IPNetwork? NetworkOf(string entry) =>
        IPNetwork.TryParse(entry, out var network) ? network
        : IPAddress.TryParse(entry, out var ip) ? new IPNetwork(ip, ip.GetAddressBytes().Length * 8)
        : null;
}
