using System.Globalization;
using Npgsql;

namespace ReplicaRouter.ConnectionStrings;

/// <summary>The parameters of a <c>postgresql://</c> URL: libpq's, Npgsql's, and Prisma's, so that a Prisma application's variable works unchanged.</summary>
internal sealed class UrlParameters(NpgsqlConnectionStringBuilder settings)
{
    /// <summary>The names to suggest for a misspelt one.</summary>
    private static readonly string[] Known =
    [
        .. LibpqParameters.Names, "schema", "connection_limit", "socket_timeout", "pgbouncer",
        "Username", "Database", "SSL Mode", "Root Certificate", "SSL Certificate", "SSL Key", "SSL Password", "SSL Negotiation", "Channel Binding", "GSS Encryption Mode",
        "Kerberos Service Name", "Require Auth", "Application Name", "Timeout", "Client Encoding", "Target Session Attributes", "Tcp Keepalive", "Tcp Keepalive Time",
        "Tcp Keepalive Interval", "Search Path", "Maximum Pool Size", "Command Timeout", "Minimum Pool Size", "Pooling", "Connection Idle Lifetime", "Connection Lifetime",
        "Keepalive", "Timezone", "Trust Server Certificate", "Include Error Detail", "Max Auto Prepare", "No Reset On Close",
    ];

    /// <summary>libpq's parameters. The last value of a repeated parameter wins, as in libpq.</summary>
    private readonly Dictionary<string, string> _libpqs = [];

    /// <summary>Adds a parameter. Messages name it by its number in the query, from 1, and never repeat its value.</summary>
    public void Add(string key, string value, int number)
    {
        switch (key)
        {
            // The only JDBC spelling that libpq accepts.
            case "ssl" when value == "true": _libpqs["sslmode"] = "require"; break;
            case "schema": Set(settings, "Search Path", value, key); break;
            case "connection_limit": Set(settings, "Maximum Pool Size", value, key); break;
            case "socket_timeout": Set(settings, "Command Timeout", RoundedUp(value), key); break;
            case "pgbouncer" when value == "true": (settings.NoResetOnClose, settings.MaxAutoPrepare) = (true, 0); break;
            case "pgbouncer" when value == "false": break;
            case "pgbouncer": throw new ConnectionStringException("has a value for 'pgbouncer' that is neither true nor false.");
            case "pool_timeout": throw new ConnectionStringException("has Prisma's parameter 'pool_timeout', which Npgsql does not support. Remove it.");
            case var _ when LibpqParameters.Has(key): _libpqs[key] = value; break;
            case var _ when settings.ContainsKey(key): Set(settings, key, value, key); break;
            default:
                throw new ConnectionStringException(string.Create(CultureInfo.InvariantCulture,
                    $"has a parameter that neither libpq nor Npgsql knows, number {number} after the question mark.{DidYouMean(key)} {ConnectionStringParser.Encode}"));
        }
    }

    /// <summary>Applies the settings that all hosts share.</summary>
    /// <returns>The hosts; <paramref name="authority"/> is the raw text of those before the query.</returns>
    public IReadOnlyList<ServerAddress> Apply(string authority)
    {
        if (settings.Host is not null || settings.Port != NpgsqlConnection.DefaultPort)
        {
            throw new ConnectionStringException("names a host or port in its query with Npgsql's names. Write 'host' and 'port' in lower case.");
        }

        LibpqParameters.Apply(_libpqs, settings);
        return UrlHosts.Of(authority, _libpqs.GetValueOrDefault("host"), _libpqs.GetValueOrDefault("hostaddr"), _libpqs.GetValueOrDefault("port"));
    }

    /// <summary>Rounds up to whole seconds: Prisma allows fractions, Npgsql does not.</summary>
    private static string RoundedUp(string value) =>
        double.TryParse(value, CultureInfo.InvariantCulture, out var seconds) ? Math.Ceiling(seconds).ToString(CultureInfo.InvariantCulture) : value;

    /// <summary>Returns a suggestion for a misspelt name, or an empty text. Does not repeat the misspelt name.</summary>
    public static string DidYouMean(string key) => NearestName.Of(key, Known) is { } name ? $" Did you mean '{name}'?" : "";

    /// <summary>Sets a value by Npgsql's name. Messages use the name from the connection string, and never repeat the value.</summary>
    public static void Set(NpgsqlConnectionStringBuilder settings, string npgsqlName, string value, string name)
    {
        try
        {
            settings[npgsqlName] = value;
        }
        catch (Exception e) when (e is not ConnectionStringException)
        {
            throw new ConnectionStringException($"has an invalid value for '{name}'.");
        }
    }
}
