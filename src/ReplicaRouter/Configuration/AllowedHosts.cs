using System.Collections.Immutable;
using System.Globalization;
using System.Net;

namespace ReplicaRouter.Configuration;

/// <summary>The hosts that sources may name, by name, by <c>*.suffix</c>, by address or by network.</summary>
internal sealed record AllowedHosts(ImmutableArray<string> Entries)
{
    private const string Wildcard = "*.";

    /// <summary>Whether there is no list, so that sources may name any host.</summary>
    public bool AreAny => Entries.IsEmpty;

    public static AllowedHosts Parse(IEnumerable<string> entries, string key, List<string> faults)
    {
        ImmutableArray<string> given = [.. entries.Select(entry => (entry ?? "").Trim().TrimEnd('.'))];
        foreach (var (index, entry) in given.Index().Where(pair => !IsValid(pair.Item)))
        {
            faults.Add(string.Create(CultureInfo.InvariantCulture,
                $"{key}:{index} is no host. Write a name as db-1.internal, all names below one as *.db.internal, an address, or a network as 10.0.0.0/8."));
        }

        return new AllowedHosts([.. given.Where(IsValid)]);
    }

    /// <summary>Whether a source may name this address. A name is not resolved: a list that trusts a name trusts what DNS says of it.</summary>
    public bool Allow(string address)
    {
        if (AreAny) return true;
        if (IPAddress.TryParse(address, out var ip)) return Entries.Any(entry => NetworkOf(entry)?.Contains(ip.IsIPv4MappedToIPv6 ? ip.MapToIPv4() : ip) ?? false);
        var name = address.TrimEnd('.');
        return Entries.Any(entry => IsWildcard(entry) ? name.EndsWith(entry[1..], StringComparison.OrdinalIgnoreCase) : name.Equals(entry, StringComparison.OrdinalIgnoreCase));
    }

    public bool SaysTheSameAs(AllowedHosts other) => Entries.SequenceEqual(other.Entries);

    private static bool IsValid(string entry) => NetworkOf(entry) is not null || HostAddress.IsValid(IsWildcard(entry) ? entry[Wildcard.Length..] : entry);

    private static bool IsWildcard(string entry) => entry.StartsWith(Wildcard, StringComparison.Ordinal);

    private static IPNetwork? NetworkOf(string entry) =>
        IPNetwork.TryParse(entry, out var network) ? network
        : IPAddress.TryParse(entry, out var ip) ? new IPNetwork(ip, ip.GetAddressBytes().Length * 8)
        : null;
}
