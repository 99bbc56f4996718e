using System.Globalization;
using System.Net;
using System.Text;
using Npgsql;

namespace ReplicaRouter.ConnectionStrings;

/// <summary>Parses a <c>postgresql://</c> URL.</summary>
/// <remarks>
/// If the user or password contains an unencoded <c>/</c>, <c>?</c> or <c>#</c>, the rest of it looks like a host, database or parameter, and would be shown as such.
/// A misplaced <c>@</c>, <c>#</c> or <c>/</c> reveals this, and the whole URL is refused. All accepted URLs mean the same as in libpq.
/// </remarks>
internal static class ConnectionUrl
{
    private static readonly UTF8Encoding s_utf8 = new(false, throwOnInvalidBytes: true);

    public static bool Is(string value) =>
        value.StartsWith("postgresql://", StringComparison.Ordinal) || value.StartsWith("postgres://", StringComparison.Ordinal);

    public static (NpgsqlConnectionStringBuilder Settings, IReadOnlyList<ServerAddress> Hosts) Parse(string url)
    {
        var rest = url[(url.IndexOf("://", StringComparison.Ordinal) + 3)..];
        if (rest.Contains('#', StringComparison.Ordinal)) throw new ConnectionStringException($"has an unencoded #. {ConnectionStringParser.Encode}");
        rest = Cut(rest, '?', out var query);
        var authority = Cut(rest, '/', out var path);
        if (Holds(path, '@') || Holds(query, '@')) throw new ConnectionStringException($"has an unencoded @ after the host. {ConnectionStringParser.Encode}");
        if (Holds(path, '/')) throw new ConnectionStringException($"has an unencoded / after the database. {ConnectionStringParser.Encode}");
        // Versions of libpq treat spaces differently.
        if (Holds(authority, ' ') || Holds(path, ' ')) throw new ConnectionStringException($"has an unencoded space. Write %20. {ConnectionStringParser.Encode}");

        var settings = new NpgsqlConnectionStringBuilder();
        var at = authority.IndexOf('@', StringComparison.Ordinal);
        var hosts = authority[(at + 1)..];
        // A second @ would be part of the host.
        if (Holds(hosts, '@')) throw new ConnectionStringException($"has an unencoded @ in the user or password. {ConnectionStringParser.Encode}");
        if (at >= 0) Identify(settings, authority[..at]);
        if (!string.IsNullOrEmpty(path)) settings.Database = Decode(path);
        return (settings, Parameters(settings, query).Apply(hosts));
    }

    private static void Identify(NpgsqlConnectionStringBuilder settings, string userInfo)
    {
        var user = Cut(userInfo, ':', out var password);
        if (user.Length > 0) settings.Username = Decode(user);
        if (!string.IsNullOrEmpty(password)) settings.Password = Decode(password);
    }

    private static UrlParameters Parameters(NpgsqlConnectionStringBuilder settings, string? query)
    {
        var parameters = new UrlParameters(settings);
        if (string.IsNullOrEmpty(query)) return parameters;
        foreach (var (index, parameter) in (query.EndsWith('&') ? query[..^1] : query).Split('&').Index())
        {
            var name = Cut(parameter, '=', out var value);
            if (value is null || Holds(value, '=') || Holds(value, ' '))
            {
                throw new ConnectionStringException(string.Create(CultureInfo.InvariantCulture,
                    $"has a parameter, number {index + 1} after the question mark, that is not written as name=value. Write %3D for = in the value, and %20 for a space. {ConnectionStringParser.Encode}"));
            }

            parameters.Add(Decode(name), Decode(value), index + 1);
        }

        return parameters;
    }

    private static bool Holds(string? text, char c) => text?.Contains(c, StringComparison.Ordinal) ?? false;

    private static string Cut(string text, char separator, out string? after)
    {
        var index = text.IndexOf(separator, StringComparison.Ordinal);
        after = index < 0 ? null : text[(index + 1)..];
        return index < 0 ? text : text[..index];
    }

    /// <summary>Decodes percent-encoding. Strict, unlike <see cref="Uri.UnescapeDataString(string)"/>, which keeps what it can't decode and so would change a password.</summary>
    public static string Decode(string text)
    {
        if (text.Split('%').Skip(1).Any(code => code.Length < 2 || !char.IsAsciiHexDigit(code[0]) || !char.IsAsciiHexDigit(code[1])))
        {
            throw new ConnectionStringException("has a % without two hexadecimal digits after it. Write %25 for a percent sign.");
        }

        if (text.Contains("%00", StringComparison.Ordinal)) throw new ConnectionStringException("has %00, which is not allowed in any value.");
        // As in libpq, a + is a plus sign, not the space of HTML forms.
        var bytes = Encoding.UTF8.GetBytes(text.Replace("+", "%2B", StringComparison.Ordinal));
        try
        {
            return s_utf8.GetString(WebUtility.UrlDecodeToBytes(bytes, 0, bytes.Length));
        }
        catch (DecoderFallbackException)
        {
            throw new ConnectionStringException("has percent-encoded bytes that are not valid UTF-8.");
        }
    }
}
