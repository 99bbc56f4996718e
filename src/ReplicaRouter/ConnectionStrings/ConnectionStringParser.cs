using System.Data.Common;
using System.Globalization;
using System.Text.RegularExpressions;
using Npgsql;

namespace ReplicaRouter.ConnectionStrings;

/// <summary>Parses a <c>postgresql://</c> URL or an Npgsql connection string into one builder per host.</summary>
internal static partial class ConnectionStringParser
{
    public const string Example = "Write postgresql://user:password@host:5432/database.";
    public const string Encode = "If the user or the password contains any of : / ? # @ %, percent-encode it.";

    /// <exception cref="ConnectionStringException">The value is not usable. The message is safe to show.</exception>
    public static IReadOnlyList<NpgsqlConnectionStringBuilder> Parse(string value)
    {
        try
        {
            var text = value.Trim();
            if (text.Length == 0) throw new ConnectionStringException($"is empty. {Example}");
            var (settings, hosts) = ConnectionUrl.Is(text) ? ConnectionUrl.Parse(text) : ParseKeyValues(text);
            Check(settings);
            IReadOnlyList<NpgsqlConnectionStringBuilder> each = [.. hosts.Select(host => With(settings, host))];
            CheckWithNpgsql(each[0]);
            return each;
        }
        catch (Exception e) when (e is not ConnectionStringException)
        {
            // Messages of Npgsql and .NET quote what they can't parse.
            throw new ConnectionStringException($"is not a usable connection string. {Example}");
        }
    }

    private static (NpgsqlConnectionStringBuilder Settings, IReadOnlyList<ServerAddress> Hosts) ParseKeyValues(string value)
    {
        var pairs = new DbConnectionStringBuilder();
        try
        {
            pairs.ConnectionString = value;
        }
        catch (ArgumentException)
        {
            throw new ConnectionStringException(
                $"is neither a postgresql:// URL nor an Npgsql connection string (Host=...;Username=...;Password=...;Database=...). {Example}");
        }

        var settings = new NpgsqlConnectionStringBuilder();
        foreach (string key in pairs.Keys)
        {
            if (!settings.ContainsKey(key)) throw new ConnectionStringException(Unknown(value, key));
            UrlParameters.Set(settings, key, Convert.ToString(pairs[key], CultureInfo.InvariantCulture) ?? "", key);
        }

        if (string.IsNullOrWhiteSpace(settings.Host)) throw new ConnectionStringException($"names no host. {Example}");
        return (settings, [.. settings.Host.Split(',').Select(ServerAddress.Parse)]);
    }

    private static string Unknown(string value, string key) =>
        value.Contains("://", StringComparison.Ordinal) || key.Contains(":/", StringComparison.Ordinal) ? $"is a URL, but does not begin with postgresql://. {Example}"
        : $"has a parameter that Npgsql does not know.{UrlParameters.DidYouMean(key)} If it is part of the password, quote the password: Password='a;b'.";

    private static NpgsqlConnectionStringBuilder With(NpgsqlConnectionStringBuilder settings, ServerAddress host)
    {
        var result = new NpgsqlConnectionStringBuilder(settings.ConnectionString) { Host = host.Host, Port = host.Port ?? settings.Port };
        // The router itself finds the primary. With a single host, these settings could only make opening fail.
        result.Remove("Target Session Attributes");
        result.Remove("Load Balance Hosts");
        result.Remove("Host Recheck Seconds");
        // With this setting, Npgsql writes the password to its logs and traces.
        result.Remove("Persist Security Info");
        return result;
    }

    private static void Check(NpgsqlConnectionStringBuilder settings)
    {
        if (settings.MaxPoolSize < 1) throw new ConnectionStringException("has a pool size of 0. Write 1 or more, or remove the setting.");
        if (settings.MinPoolSize > settings.MaxPoolSize) throw new ConnectionStringException($"has a minimum pool size of {settings.MinPoolSize}, above its maximum of {settings.MaxPoolSize}.");
        if (!settings.Pooling) throw new ConnectionStringException("turns pooling off (Pooling=false). The router needs pooling: remove the setting.");
        if (settings is { TcpKeepAliveInterval: > 0, TcpKeepAliveTime: 0 }) throw new ConnectionStringException("sets the TCP keepalive interval without the keepalive time (keepalives_interval without keepalives_idle). Set both, or neither.");
        // Servers and logs show these values. After a wrong separator, one of them can contain the password.
        string?[] shown = [settings.Username, settings.Database, settings.ApplicationName];
        if (shown.Any(text => text is not null && ForeignPart().IsMatch(text)))
        {
            throw new ConnectionStringException($"has a user, database or application name that contains another parameter or a URL. Separate parameters with ';' in key-value pairs, and with '&' in a URL. {Example}");
        }
    }

    /// <summary>Checks the combination of settings, which would otherwise fail at the first use with a message of Npgsql.</summary>
    private static void CheckWithNpgsql(NpgsqlConnectionStringBuilder settings)
    {
        try
        {
            new NpgsqlDataSourceBuilder(settings.ConnectionString).Build().Dispose();
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException or InvalidOperationException)
        {
            throw new ConnectionStringException("has settings that Npgsql refuses together, such as SSL Negotiation=Direct without SSL Mode=Require, or a Connection Idle Lifetime below Connection Pruning Interval.");
        }
    }

    [GeneratedRegex(@"(pass(word|wd|phrase)?|pwd|psw|secret|token)\s*[=:]|://", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex ForeignPart();
}
