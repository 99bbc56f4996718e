using System.Data.Common;
using System.Globalization;
using System.Text.RegularExpressions;
using Npgsql;

namespace ReplicaRouter.ConnectionStrings;

/// <summary>Reads a <c>postgresql://</c> URL or an Npgsql connection string into one builder a host.</summary>
internal static partial class ConnectionStringParser
{
    public const string Example = "Write postgresql://user:password@host:5432/database.";
    public const string Encode = "If the user or the password contains any of : / ? # @ %, percent-encode it.";

    /// <exception cref="ConnectionStringException">The value is not usable; the message is fit to show.</exception>
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
            // Messages of Npgsql and of the framework quote what they can't read.
            throw new ConnectionStringException($"is no usable connection string. {Example}");
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
        : $"has a parameter that Npgsql does not know.{UrlParameters.DidYouMean(key)} If it is a part of the password, quote it: Password='a;b'.";

    private static NpgsqlConnectionStringBuilder With(NpgsqlConnectionStringBuilder settings, ServerAddress host)
    {
        var result = new NpgsqlConnectionStringBuilder(settings.ConnectionString) { Host = host.Host, Port = host.Port ?? settings.Port };
        // Which server is the primary is ours to observe; on a single host these would only make opening fail.
        result.Remove("Target Session Attributes");
        result.Remove("Load Balance Hosts");
        result.Remove("Host Recheck Seconds");
        // It would have Npgsql write the password to its logs and traces.
        result.Remove("Persist Security Info");
        return result;
    }

    private static void Check(NpgsqlConnectionStringBuilder settings)
    {
        if (settings.MaxPoolSize < 1) throw new ConnectionStringException("has a pool size of 0. Write 1 or more, or leave it out.");
        if (settings.MinPoolSize > settings.MaxPoolSize) throw new ConnectionStringException($"has a minimum pool size of {settings.MinPoolSize}, above its maximum of {settings.MaxPoolSize}.");
        if (!settings.Pooling) throw new ConnectionStringException("switches pooling off (Pooling=false). The router needs the pool: leave it out.");
        if (settings is { TcpKeepAliveInterval: > 0, TcpKeepAliveTime: 0 }) throw new ConnectionStringException("sets the interval of TCP keepalives without their time (keepalives_interval without keepalives_idle). Set both, or neither.");
        // Servers and logs show these; with a wrong separator the password would stand in them.
        string?[] shown = [settings.Username, settings.Database, settings.ApplicationName];
        if (shown.Any(text => text is not null && ForeignPart().IsMatch(text)))
        {
            throw new ConnectionStringException($"has a user, a database or an application name that holds another parameter or a URL. Separate parameters by ';' in key-value pairs, and by '&' in a URL. {Example}");
        }
    }

    /// <summary>Settings that are valid each, and not together, would otherwise fail at the first use, with Npgsql's text.</summary>
    private static void CheckWithNpgsql(NpgsqlConnectionStringBuilder settings)
    {
        try
        {
            new NpgsqlDataSourceBuilder(settings.ConnectionString).Build().Dispose();
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException or InvalidOperationException)
        {
            throw new ConnectionStringException("has settings that are valid each, but that Npgsql refuses together (as SSL Negotiation=Direct without SSL Mode=Require, or a Connection Idle Lifetime below Connection Pruning Interval).");
        }
    }

    [GeneratedRegex(@"(pass(word|wd|phrase)?|pwd|psw|secret|token)\s*[=:]|://", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex ForeignPart();
}
