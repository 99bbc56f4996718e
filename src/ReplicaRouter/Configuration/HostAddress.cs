using System.Net;

namespace ReplicaRouter.Configuration;

/// <summary>Says whether a text from outside can be the address of a host. What passes is harmless in logs and in connection strings.</summary>
internal static class HostAddress
{
    private const int LongestName = 253;
    private const int LongestLabel = 63;

    /// <summary>Whether it is an IP address or a name of letters, digits, hyphens and underscores, as DNS has it.</summary>
    public static bool IsValid(string text) => IsName(text) || IsIp(text);

    /// <summary>Whether it can be one name between the dots of a host name.</summary>
    public static bool IsLabel(string text) => text.Length is > 0 and <= LongestLabel && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');

    private static bool IsName(string text) => text.Length <= LongestName && text.Split('.').All(IsLabel);

    /// <remarks>A zone (<c>fe80::1%eth0</c>) is free text to .NET, so it passes only if it could be a name itself.</remarks>
    private static bool IsIp(string text) => IPAddress.TryParse(text, out _) && text[0] != '[' && (text.IndexOf('%', StringComparison.Ordinal) is var zone && (zone < 0 || IsLabel(text[(zone + 1)..])));
}
