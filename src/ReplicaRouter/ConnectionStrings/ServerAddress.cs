using System.Globalization;
using System.Net;

namespace ReplicaRouter.ConnectionStrings;

/// <summary>The address of one server as a connection string gives it.</summary>
/// <param name="Host">A host name, an IP address, or the directory of a Unix socket.</param>
/// <param name="Port">The port; <see langword="null"/> where the text names none.</param>
internal readonly record struct ServerAddress(string Host, int? Port)
{
    /// <summary>What DNS allows.</summary>
    private const int LongestName = 253;

    /// <summary>Reads <c>host</c>, <c>host:port</c>, <c>[IPv6]:port</c> or the directory of a Unix socket.</summary>
    public static ServerAddress Parse(string text)
    {
        var (host, port) = Split(text.Trim());
        return Of(host, port);
    }

    /// <summary>Checks a host and its port, which is null or empty for none.</summary>
    public static ServerAddress Of(string host, string? port)
    {
        if (host.Length == 0) throw new ConnectionStringException($"names no host. {ConnectionStringParser.Example}");
        // The host is shown in logs and health: what is no host name may be a part of the password.
        if (!IsHost(host)) throw new ConnectionStringException($"has a host with a character that no host name and no socket's directory has. {ConnectionStringParser.Encode}");
        return new ServerAddress(host, string.IsNullOrEmpty(port) ? null : PortOf(port));
    }

    /// <summary>Takes a host and its port apart, and checks neither.</summary>
    /// <exception cref="ConnectionStringException">It can't be said which is which.</exception>
    public static (string Host, string? Port) Split(string text)
    {
        if (text.StartsWith('[')) return SplitBracketed(text);
        // The path of a socket may hold colons.
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
