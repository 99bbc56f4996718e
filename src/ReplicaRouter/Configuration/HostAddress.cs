using System.Net;

namespace ReplicaRouter.Configuration;

/// <summary>Validates host addresses from outside. Valid ones are harmless in logs and connection strings.</summary>
internal static class HostAddress
{
    private const int LongestName = 253;
    private const int LongestLabel = 63;

    /// <summary>Whether it is an IP address, or a DNS name of letters, digits, hyphens and underscores.</summary>
    public static bool IsValid(string text) => IsName(text) || IsIp(text);

    /// <summary>Whether it can be one label, between the dots of a host name.</summary>
    public static bool IsLabel(string text) => text.Length is > 0 and <= LongestLabel && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');

    private static bool IsName(string text) => text.Length <= LongestName && text.Split('.').All(IsLabel);

    /// <remarks>.NET accepts any text as the zone (<c>fe80::1%eth0</c>), so it must be a valid label too.</remarks>
    private static bool IsIp(string text) => IPAddress.TryParse(text, out _) && text[0] != '[' && (text.IndexOf('%', StringComparison.Ordinal) is var zone && (zone < 0 || IsLabel(text[(zone + 1)..])));
}
