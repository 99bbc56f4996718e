using System.Data.Common;
using System.Globalization;
using Npgsql;

namespace ReplicaRouter;

/// <summary>Reads a <c>postgresql://</c> URL or an Npgsql connection string into one builder a host.</summary>
/// <remarks>No message repeats a part of the value: where a password is not encoded, any part of the value may be a part of the password.</remarks>
internal static class ConnectionStringParser
{
    private const string Example = "Write postgresql://user:password@host:5432/database.";
    private const string Encode = "If the user or the password contains any of : / ? # @ %, percent-encode it.";
    private const int DefaultPort = 5432;

    /// <exception cref="FormatException">The value is no usable connection string; the message is fit to show.</exception>
    public static IReadOnlyList<NpgsqlConnectionStringBuilder> Parse(string value)
    {
        value = value.Trim();
        if (value.Length == 0) throw new FormatException($"is empty. {Example}");

        var hosts = IsUrl(value) ? ParseUrl(value) : ParseKeyValues(value);
        foreach (var host in hosts) Check(host);
        return hosts;
    }

    private static bool IsUrl(string value) =>
        value.StartsWith("postgresql://", StringComparison.OrdinalIgnoreCase) || value.StartsWith("postgres://", StringComparison.OrdinalIgnoreCase);

    private static List<NpgsqlConnectionStringBuilder> ParseUrl(string url)
    {
        var rest = url[(url.IndexOf("://", StringComparison.Ordinal) + 3)..];
        rest = Cut(rest, '#', out _);
        rest = Cut(rest, '?', out var query);
        var authority = Cut(rest, '/', out var path);

        var settings = new NpgsqlConnectionStringBuilder();
        var at = authority.LastIndexOf('@');
        if (at >= 0)
        {
            var user = Cut(authority[..at], ':', out var password);
            if (user.Length > 0) settings.Username = Decode(user);
            if (password is not null) settings.Password = Decode(password);
        }

        if (!string.IsNullOrEmpty(path)) settings.Database = Decode(path);

        var hostList = authority[(at + 1)..];
        foreach (var parameter in (query ?? "").Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var key = Decode(Cut(parameter, '=', out var text));
            // An @ behind the question mark: the password holds one, and what looks like parameters is its rest.
            UrlParameters.Apply(settings, key, Decode(text ?? ""), nameKey: !query!.Contains('@', StringComparison.Ordinal), ref hostList);
        }

        return [.. hostList.Split(',').Select(host => At(settings, host))];
    }

    private static List<NpgsqlConnectionStringBuilder> ParseKeyValues(string value)
    {
        var pairs = new DbConnectionStringBuilder();
        try
        {
            pairs.ConnectionString = value;
        }
        catch (ArgumentException)
        {
            // The framework's message quotes the value from the first character that it can't read: possibly the password.
            throw new FormatException(
                $"is neither a postgresql:// URL nor an Npgsql connection string (Host=...;Username=...;Password=...;Database=...). {Example}");
        }

        var settings = new NpgsqlConnectionStringBuilder();
        foreach (string key in pairs.Keys)
        {
            UrlParameters.Set(settings, key, Convert.ToString(pairs[key], CultureInfo.InvariantCulture) ?? "", nameKey: !HasPassword(pairs));
        }

        if (string.IsNullOrWhiteSpace(settings.Host)) throw new FormatException($"names no host. {Example}");
        // A Unix socket's directory holds no comma in practice, and is one host.
        return [.. settings.Host!.Split(',').Select(host => host.StartsWith('/') ? With(settings, host, settings.Port) : At(settings, host, settings.Port))];
    }

    private static bool HasPassword(DbConnectionStringBuilder pairs) => pairs.ContainsKey("password") || pairs.ContainsKey("pwd") || pairs.ContainsKey("psw");

    private static NpgsqlConnectionStringBuilder At(NpgsqlConnectionStringBuilder settings, string hostAndPort, int defaultPort = DefaultPort)
    {
        hostAndPort = hostAndPort.Trim();
        var isBracketed = hostAndPort.StartsWith('[');
        var end = isBracketed ? hostAndPort.IndexOf(']', StringComparison.Ordinal) : -1;
        if (isBracketed && end < 0) throw new FormatException($"has an IPv6 address without its closing bracket. Write [::1]:5432.");

        string host;
        string? port;
        if (isBracketed)
        {
            host = hostAndPort[1..end];
            var after = hostAndPort[(end + 1)..];
            if (after.Length > 0 && after[0] != ':') throw new FormatException("has something other than a port after an IPv6 address. Write [::1]:5432.");
            port = after.Length > 0 ? after[1..] : null;
        }
        else if (hostAndPort.Count(c => c == ':') > 1)
        {
            throw new FormatException($"has more than one colon in a host. Write an IPv6 address in brackets: [::1]:5432. {Encode}");
        }
        else
        {
            host = Cut(hostAndPort, ':', out port);
        }

        if (host.Length == 0) throw new FormatException($"names no host. {Example}");
        if (host.Any(c => char.IsWhiteSpace(c) || c is '@' or '/')) throw new FormatException($"has a host name with a character that no host name has. {Encode}");
        if (string.IsNullOrEmpty(port)) return With(settings, Decode(host), defaultPort);
        return int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= 65535
            ? With(settings, Decode(host), number)
            : throw new FormatException($"has a port that is not a number from 1 to 65535. {Encode}");
    }

    private static NpgsqlConnectionStringBuilder With(NpgsqlConnectionStringBuilder settings, string host, int port)
    {
        var result = new NpgsqlConnectionStringBuilder(settings.ConnectionString) { Host = host, Port = port };
        // Which server is the primary is ours to observe; on a single host these would only make opening fail.
        result.Remove("Target Session Attributes");
        result.Remove("Load Balance Hosts");
        result.Remove("Host Recheck Seconds");
        return result;
    }

    private static void Check(NpgsqlConnectionStringBuilder host)
    {
        if (host.MaxPoolSize < 1) throw new FormatException("has a pool size of 0. Write 1 or more, or leave it out.");
        if (host.MinPoolSize > host.MaxPoolSize) throw new FormatException($"has a minimum pool size of {host.MinPoolSize}, above its maximum of {host.MaxPoolSize}.");
        if (!host.Pooling) throw new FormatException("switches pooling off (Pooling=false). The router needs the pool: leave it out.");
    }

    private static string Cut(string text, char separator, out string? after)
    {
        var index = text.IndexOf(separator, StringComparison.Ordinal);
        after = index < 0 ? null : text[(index + 1)..];
        return index < 0 ? text : text[..index];
    }

    private static string Decode(string text)
    {
        // Uri.UnescapeDataString lets a stray % pass, and a password with one would silently be another password.
        for (var i = text.IndexOf('%', StringComparison.Ordinal); i >= 0; i = text.IndexOf('%', i + 1))
        {
            if (i + 2 >= text.Length || !char.IsAsciiHexDigit(text[i + 1]) || !char.IsAsciiHexDigit(text[i + 2]))
            {
                throw new FormatException("has a % that no two hexadecimal digits follow. Write %25 for a percent sign.");
            }
        }

        return Uri.UnescapeDataString(text);
    }
}
