using System.Globalization;
using System.Net;

namespace ReplicaRouter.ConnectionStrings;

/// <summary>The address of a server in a connection string.</summary>
/// <param name="Host">A host name, an IP address, or the directory of a Unix socket.</param>
/// <param name="Port">The port; <see langword="null"/> if the text names none.</param>
internal readonly record struct ServerAddress(string Host, int? Port)
{
    /// <summary>The limit of DNS.</summary>
    private const int LongestName = 253;

    /// <summary>Parses <c>host</c>, <c>host:port</c>, <c>[IPv6]:port</c> or the directory of a Unix socket.</summary>
    public static ServerAddress Parse(string text)
    {
        var (host, port) = Split(text.Trim());
        return Of(host, port);
    }

    /// <summary>Validates a host and its port; null or empty means no port.</summary>
    public static ServerAddress Of(string host, string? port)
    {
        if (host.Length == 0) throw new ConnectionStringException($"names no host. {ConnectionStringParser.Example}");
        // Logs and the health status show the host. A text that is not a host name can be part of the password.
        if (!IsHost(host)) throw new ConnectionStringException($"has a host with an invalid character for a host name or socket directory. {ConnectionStringParser.Encode}");
        return new ServerAddress(host, string.IsNullOrEmpty(port) ? null : PortOf(port));
    }

    /// <summary>Splits a text into host and port, without validation.</summary>
    /// <exception cref="ConnectionStringException">It is ambiguous where the port begins.</exception>
    public static (string Host, string? Port) Split(string text)
    {
        if (text.StartsWith('[')) return SplitBracketed(text);
        // A socket path can contain colons.
        if (text.StartsWith('/')) return (text, null);
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon != text.LastIndexOf(':')) throw new ConnectionStringException($"has more than one colon in a host. Write an IPv6 address in brackets: [::1]:5432. {ConnectionStringParser.Encode}");
        return colon < 0 ? (text, null) : (text[..colon], text[(colon + 1)..]);
    }

    private static (string Host, string? Port) SplitBracketed(string text)
    {
        var end = text.IndexOf(']', StringComparison.Ordinal);
        if (end < 0) throw new ConnectionStringException("has an IPv6 address without its closing bracket. Write [::1]:5432.");
        var after = text[(end + 1)..];
        if (after.Length > 0 && after[0] != ':') throw new ConnectionStringException("has something other than a port after an IPv6 address. Write [::1]:5432.");
        return (text[1..end], after.Length > 0 ? after[1..] : null);
    }

    private static int PortOf(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= 65535
        ? number
        : throw new ConnectionStringException($"has a port that is not a number from 1 to 65535. {ConnectionStringParser.Encode}");

    private static bool IsHost(string host) =>
        host.StartsWith('/') ? host.All(c => IsNameCharacter(c) || c is '/' or ':')
        : host.Contains(':', StringComparison.Ordinal) ? IPAddress.TryParse(host, out _)
        : host.Length <= LongestName && host.All(IsNameCharacter);

    private static bool IsNameCharacter(char c) => char.IsLetterOrDigit(c) || c is '.' or '-' or '_';
}
