using System.Globalization;
using Npgsql;

namespace ReplicaRouter;

/// <summary>The parameters of a <c>postgresql://</c> URL: libpq's, those of Prisma's URLs, so that a variable can move over as it is, and Npgsql's own.</summary>
internal sealed class UrlParameters(NpgsqlConnectionStringBuilder settings)
{
    /// <summary>What a misspelt name is compared with.</summary>
    private static readonly string[] Known =
    [
        .. LibpqParameters.Names, "schema", "connection_limit", "socket_timeout", "pgbouncer",
        "Username", "Database", "SSL Mode", "Root Certificate", "SSL Certificate", "SSL Key", "SSL Password", "SSL Negotiation", "Channel Binding", "GSS Encryption Mode",
        "Kerberos Service Name", "Require Auth", "Application Name", "Timeout", "Client Encoding", "Target Session Attributes", "Tcp Keepalive", "Tcp Keepalive Time",
        "Tcp Keepalive Interval", "Search Path", "Maximum Pool Size", "Command Timeout", "Minimum Pool Size", "Pooling", "Connection Idle Lifetime", "Connection Lifetime",
        "Keepalive", "Timezone", "Trust Server Certificate", "Include Error Detail", "Max Auto Prepare", "No Reset On Close",
    ];

    /// <summary>Of a parameter that is repeated, libpq takes the last value.</summary>
    private readonly Dictionary<string, string> _libpqs = [];

    /// <param name="key">The parameter's name.</param>
    /// <param name="value">Its value; never repeated in a message.</param>
    /// <param name="number">Its place in the query, from 1, by which a message can say which one it is.</param>
    public void Add(string key, string value, int number)
    {
        // libpq knows this one spelling of JDBC's.
        if (key == "ssl" && value == "true") (key, value) = ("sslmode", "require");
        if (LibpqParameters.Has(key)) _libpqs[key] = value;
        else if (!IsPrismas(key, value)) SetNpgsqls(key, value, number);
    }

    /// <summary>Sets what all hosts share.</summary>
    /// <param name="authority">The hosts before the query, as they are written.</param>
    /// <returns>The hosts.</returns>
    public IReadOnlyList<ServerAddress> Apply(string authority)
    {
        if (settings.Host is not null || settings.Port != NpgsqlConnection.DefaultPort)
        {
            throw new ConnectionStringException("names a host or a port in its query as Npgsql does. Write 'host' and 'port', in small letters.");
        }

        LibpqParameters.Apply(_libpqs, settings);
        return UrlHosts.Of(authority, _libpqs.GetValueOrDefault("host"), _libpqs.GetValueOrDefault("hostaddr"), _libpqs.GetValueOrDefault("port"));
    }

    private bool IsPrismas(string key, string value)
    {
        switch (key)
        {
            case "schema":
                Set(settings, "Search Path", value, key);
                return true;
            case "connection_limit":
                Set(settings, "Maximum Pool Size", value, key);
                return true;
            case "socket_timeout":
                Set(settings, "Command Timeout", double.TryParse(value, CultureInfo.InvariantCulture, out var seconds) ? Math.Ceiling(seconds).ToString(CultureInfo.InvariantCulture) : value, key);
                return true;
            case "pgbouncer" when value == "true":
                settings.NoResetOnClose = true;
                settings.MaxAutoPrepare = 0;
                return true;
            case "pgbouncer" when value == "false":
                return true;
            case "pgbouncer":
                throw new ConnectionStringException("has a value for 'pgbouncer' that is neither true nor false.");
            case "pool_timeout":
                throw new ConnectionStringException("has Prisma's parameter 'pool_timeout', for which Npgsql has no counterpart. Leave it out.");
            default:
                return false;
        }
    }

    private void SetNpgsqls(string key, string value, int number)
    {
        if (!settings.ContainsKey(key))
        {
            throw new ConnectionStringException(string.Create(CultureInfo.InvariantCulture,
                $"has a parameter that neither libpq nor Npgsql knows, number {number} behind the question mark.{DidYouMean(key)} {ConnectionStringParser.Encode}"));
        }

        Set(settings, key, value, key);
    }

    /// <summary>The name that was meant, where it can be guessed. The misspelt one is not repeated.</summary>
    public static string DidYouMean(string key) => NearestName.Of(key, Known) is { } name ? $" Did you mean '{name}'?" : "";

    /// <param name="settings">Where to set it.</param>
    /// <param name="npgsqlName">A name that Npgsql knows.</param>
    /// <param name="value">Its value; never repeated in a message.</param>
    /// <param name="name">The known name that the connection string uses.</param>
    public static void Set(NpgsqlConnectionStringBuilder settings, string npgsqlName, string value, string name)
    {
        try
        {
            settings[npgsqlName] = value;
        }
        catch (Exception e) when (e is not ConnectionStringException)
        {
            throw new ConnectionStringException($"has a value for '{name}' that is not valid there.");
        }
    }
}
