using System.Globalization;
using Npgsql;

namespace ReplicaRouter.ConnectionStrings;

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

    /// <summary>Takes a parameter. A message says which one it is by its number in the query, from 1, and never repeats its value.</summary>
    public void Add(string key, string value, int number)
    {
        switch (key)
        {
            // libpq knows this one spelling of JDBC's.
            case "ssl" when value == "true": _libpqs["sslmode"] = "require"; break;
            case "schema": Set(settings, "Search Path", value, key); break;
            case "connection_limit": Set(settings, "Maximum Pool Size", value, key); break;
            case "socket_timeout": Set(settings, "Command Timeout", RoundedUp(value), key); break;
            case "pgbouncer" when value == "true": (settings.NoResetOnClose, settings.MaxAutoPrepare) = (true, 0); break;
            case "pgbouncer" when value == "false": break;
            case "pgbouncer": throw new ConnectionStringException("has a value for 'pgbouncer' that is neither true nor false.");
            case "pool_timeout": throw new ConnectionStringException("has Prisma's parameter 'pool_timeout', for which Npgsql has no counterpart. Leave it out.");
            case var _ when LibpqParameters.Has(key): _libpqs[key] = value; break;
            case var _ when settings.ContainsKey(key): Set(settings, key, value, key); break;
            default:
                throw new ConnectionStringException(string.Create(CultureInfo.InvariantCulture,
                    $"has a parameter that neither libpq nor Npgsql knows, number {number} behind the question mark.{DidYouMean(key)} {ConnectionStringParser.Encode}"));
        }
    }

    /// <summary>Sets what all hosts share.</summary>
    /// <returns>The hosts, where <paramref name="authority"/> are those before the query, as they are written.</returns>
    public IReadOnlyList<ServerAddress> Apply(string authority)
    {
        if (settings.Host is not null || settings.Port != NpgsqlConnection.DefaultPort)
        {
            throw new ConnectionStringException("names a host or a port in its query as Npgsql does. Write 'host' and 'port', in small letters.");
        }

        LibpqParameters.Apply(_libpqs, settings);
        return UrlHosts.Of(authority, _libpqs.GetValueOrDefault("host"), _libpqs.GetValueOrDefault("hostaddr"), _libpqs.GetValueOrDefault("port"));
    }

    /// <summary>Prisma allows fractions of a second, and Npgsql does not.</summary>
    private static string RoundedUp(string value) =>
        double.TryParse(value, CultureInfo.InvariantCulture, out var seconds) ? Math.Ceiling(seconds).ToString(CultureInfo.InvariantCulture) : value;

    /// <summary>The name that was meant, where it can be guessed. The misspelt one is not repeated.</summary>
    public static string DidYouMean(string key) => NearestName.Of(key, Known) is { } name ? $" Did you mean '{name}'?" : "";

    /// <summary>Sets a value by Npgsql's name. A message calls it as the connection string does, and never repeats the value.</summary>
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
