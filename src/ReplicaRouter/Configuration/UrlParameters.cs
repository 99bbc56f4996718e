using System.Collections.Frozen;
using System.Globalization;
using Npgsql;

namespace ReplicaRouter;

/// <summary>The parameters of a <c>postgresql://</c> URL, as libpq and common ORMs name them, in Npgsql's words.</summary>
internal sealed class UrlParameters(NpgsqlConnectionStringBuilder settings)
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
        ["krbsrvname"] = "Kerberos Service Name",
        ["require_auth"] = "Require Auth",
        ["application_name"] = "Application Name",
        ["connect_timeout"] = "Timeout",
        ["client_encoding"] = "Client Encoding",
        ["passfile"] = "Passfile",
        ["target_session_attrs"] = "Target Session Attributes",
        ["keepalives"] = "Tcp Keepalive",
        ["keepalives_idle"] = "Tcp Keepalive Time",
        ["keepalives_interval"] = "Tcp Keepalive Interval",
        // The names that Prisma's URLs use, so that a variable can move over as it is.
        ["schema"] = "Search Path",
        ["connection_limit"] = "Maximum Pool Size",
        ["socket_timeout"] = "Command Timeout",
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    /// <summary>The others that libpq 18 knows. To ignore one, as the lowest version of TLS, would be to do something else than was asked for.</summary>
    private static readonly FrozenSet<string> OnlyLibpqs = new[]
    {
        "gssdelegation", "gsslib", "keepalives_count", "max_protocol_version", "min_protocol_version", "oauth_client_id", "oauth_client_secret", "oauth_issuer",
        "oauth_scope", "replication", "requirepeer", "requiressl", "scram_client_key", "scram_server_key", "service", "servicefile", "sslcertmode", "sslcompression",
        "sslcrl", "sslcrldir", "sslkeylogfile", "sslsni", "ssl_max_protocol_version", "ssl_min_protocol_version", "tcp_user_timeout",
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>What a misspelt name is compared with.</summary>
    private static readonly string[] Known =
    [
        .. NpgsqlNames.Keys, .. NpgsqlNames.Values, "host", "port", "password", "options", "fallback_application_name", "load_balance_hosts", "Minimum Pool Size", "Pooling",
        "Connection Idle Lifetime", "Connection Lifetime", "Keepalive", "Timezone", "Trust Server Certificate", "Include Error Detail", "Max Auto Prepare", "No Reset On Close",
    ];

    private string? _hosts;
    private string? _ports;

    /// <param name="key">The parameter's name.</param>
    /// <param name="value">Its value; never repeated in a message.</param>
    /// <param name="number">Its place in the query, from 1, by which a message can say which one it is.</param>
    public void Apply(string key, string value, int number)
    {
        switch (key.ToLowerInvariant())
        {
            // libpq lets the query name the hosts, for values that a URL's authority can't hold.
            case "host" or "hostaddr":
                _hosts = value;
                break;
            case "port":
                _ports = value;
                break;
            case "fallback_application_name":
                if (!settings.ShouldSerialize("Application Name")) settings.ApplicationName = value;
                break;
            case "pgbouncer" when value == "true":
                settings.NoResetOnClose = true;
                settings.MaxAutoPrepare = 0;
                break;
            case "pgbouncer" or "pool_timeout" or "load_balance_hosts":
                break;
            default:
                SetNamed(key, value, number);
                break;
        }
    }

    /// <summary>The hosts: those of the query, else those before it.</summary>
    /// <param name="authority">The hosts before the query, as they are written.</param>
    public IReadOnlyList<ServerAddress> Hosts(string authority)
    {
        var hosts = _hosts is null
            ? authority.Split(',').Select(host => ServerAddress.Parse(host, ConnectionUrl.Decode)).ToArray()
            : [.. _hosts.Split(',').Select(host => ServerAddress.Parse(host, text => text))];
        if (_ports is null) return hosts;
        int[] ports = [.. _ports.Split(',').Select(ServerAddress.PortOf)];
        if (ports.Length != 1 && ports.Length != hosts.Length) throw new ConnectionStringException("has another number of ports than of hosts. Write one port for all, or one for each.");
        return [.. hosts.Select((host, index) => host with { Port = ports[ports.Length == 1 ? 0 : index] })];
    }

    private void SetNamed(string key, string value, int number)
    {
        if (OnlyLibpqs.TryGetValue(key, out var only)) throw new ConnectionStringException($"has libpq's parameter '{only}', for which Npgsql has no counterpart. Leave it out.");
        var name = NpgsqlNames.GetValueOrDefault(key, key);
        if (!settings.ContainsKey(name))
        {
            throw new ConnectionStringException(string.Create(CultureInfo.InvariantCulture,
                $"has a parameter that neither libpq nor Npgsql knows, number {number} behind the question mark.{DidYouMean(key)} {ConnectionStringParser.Encode}"));
        }

        Set(settings, name, NpgsqlValue(key, value));
    }

    /// <summary>The name that was meant, where it can be guessed. The misspelt one is not repeated.</summary>
    public static string DidYouMean(string key) => NearestName.Of(key, Known) is { } name ? $" Did you mean '{name}'?" : "";

    /// <param name="settings">Where to set it.</param>
    /// <param name="key">A name that Npgsql knows.</param>
    /// <param name="value">Its value; never repeated in a message.</param>
    public static void Set(NpgsqlConnectionStringBuilder settings, string key, string value)
    {
        try
        {
            settings[key] = value;
        }
        catch (Exception e) when (e is not ConnectionStringException)
        {
            throw new ConnectionStringException($"has a value for '{key}' that is not valid there.");
        }
    }

    /// <summary>libpq writes <c>verify-full</c> and <c>scram-sha-256</c>; Npgsql's enums have no hyphen, and some have capitals.</summary>
    private static string NpgsqlValue(string key, string value) => key.ToLowerInvariant() switch
    {
        "sslmode" or "channel_binding" or "gssencmode" or "sslnegotiation" => value.Replace("-", "", StringComparison.Ordinal),
        "require_auth" => string.Join(',', value.Split(',').Select(AuthenticationMethod)),
        "keepalives" => value switch { "0" => "false", "1" => "true", _ => value },
        "connect_timeout" or "socket_timeout" when double.TryParse(value, CultureInfo.InvariantCulture, out var seconds) =>
            Math.Ceiling(seconds).ToString(CultureInfo.InvariantCulture),
        _ => value,
    };

    private static string AuthenticationMethod(string method) => method.Trim() switch
    {
        ['!', .. var refused] => "!" + AuthenticationMethod(refused),
        "password" => "Password",
        "md5" => "MD5",
        "gss" => "GSS",
        "sspi" => "SSPI",
        "scram-sha-256" => "ScramSHA256",
        "none" => "None",
        var other => other,
    };
}
