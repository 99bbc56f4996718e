using System.Collections.Frozen;
using System.Globalization;
using Npgsql;

namespace ReplicaRouter;

/// <summary>The parameters of a <c>postgresql://</c> URL, as libpq and common ORMs name them, in Npgsql's words.</summary>
internal static class UrlParameters
{
    private static readonly FrozenDictionary<string, string> NpgsqlNames = new Dictionary<string, string>
    {
        ["user"] = "Username",
        ["dbname"] = "Database",
        ["sslmode"] = "SSL Mode",
        ["sslrootcert"] = "Root Certificate",
        ["sslcert"] = "SSL Certificate",
        ["sslkey"] = "SSL Key",
        ["sslpassword"] = "SSL Password",
        ["sslnegotiation"] = "SSL Negotiation",
        ["channel_binding"] = "Channel Binding",
        ["gssencmode"] = "GSS Encryption Mode",
        ["require_auth"] = "Require Auth",
        ["application_name"] = "Application Name",
        ["connect_timeout"] = "Timeout",
        ["client_encoding"] = "Client Encoding",
        ["passfile"] = "Passfile",
        ["target_session_attrs"] = "Target Session Attributes",
        ["keepalives_idle"] = "Tcp Keepalive Time",
        ["keepalives_interval"] = "Tcp Keepalive Interval",
        // The names that Prisma's URLs use, so that a variable can move over as it is.
        ["schema"] = "Search Path",
        ["connection_limit"] = "Maximum Pool Size",
        ["socket_timeout"] = "Command Timeout",
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    public static void Apply(NpgsqlConnectionStringBuilder settings, string key, string value, bool nameKey, ref string hostList)
    {
        switch (key.ToLowerInvariant())
        {
            // libpq lets the query name the hosts, for values that a URL's authority can't hold.
            case "host" or "hostaddr":
                hostList = value;
                break;
            case "port":
                hostList = string.Join(',', hostList.Split(',').Select(host => $"{host}:{value}"));
                break;
            case "pgbouncer" when value == "true":
                settings.NoResetOnClose = true;
                settings.MaxAutoPrepare = 0;
                break;
            case "pgbouncer" or "pool_timeout" or "load_balance_hosts" or "keepalives":
                break;
            default:
                Set(settings, NpgsqlNames.GetValueOrDefault(key, key), NpgsqlValue(key, value), nameKey);
                break;
        }
    }

    /// <param name="settings">Where to set it.</param>
    /// <param name="key">Npgsql's name of the setting.</param>
    /// <param name="value">Its value; never repeated in a message.</param>
    /// <param name="nameKey">False where an unknown name may be the rest of an unquoted password.</param>
    public static void Set(NpgsqlConnectionStringBuilder settings, string key, string value, bool nameKey)
    {
        if (!settings.ContainsKey(key))
        {
            throw new FormatException(nameKey
                ? $"has a parameter '{key}' that neither libpq nor Npgsql knows."
                : "has a parameter that Npgsql does not know. If it is a part of the password, quote it (Password='a;b') or, in a URL, percent-encode it.");
        }

        try
        {
            settings[key] = value;
        }
        catch (Exception e) when (e is ArgumentException or FormatException or OverflowException or InvalidCastException)
        {
            throw new FormatException($"has a value for '{key}' that is not valid there.");
        }
    }

    /// <summary>libpq writes <c>verify-full</c> and <c>read-write</c>; Npgsql's enums have no hyphen.</summary>
    private static string NpgsqlValue(string key, string value) => key.ToLowerInvariant() switch
    {
        "sslmode" or "channel_binding" or "gssencmode" or "sslnegotiation" => value.Replace("-", "", StringComparison.Ordinal),
        "connect_timeout" or "socket_timeout" when double.TryParse(value, CultureInfo.InvariantCulture, out var seconds) =>
            Math.Ceiling(seconds).ToString(CultureInfo.InvariantCulture),
        _ => value,
    };
}
