using System.Collections.Frozen;
using Npgsql;

namespace ReplicaRouter.ConnectionStrings;

/// <summary>The parameters of libpq, and their names in Npgsql.</summary>
/// <remarks>Source: PostgreSQL manual, "Parameter Key Words". Names are case-sensitive in libpq.</remarks>
internal static class LibpqParameters
{
    private static readonly FrozenDictionary<string, string> NpgsqlNames = new Dictionary<string, string>
    {
        ["user"] = "Username",
        ["password"] = "Password",
        ["passfile"] = "Passfile",
        ["dbname"] = "Database",
        ["options"] = "Options",
        ["application_name"] = "Application Name",
        ["client_encoding"] = "Client Encoding",
        ["connect_timeout"] = "Timeout",
        ["keepalives"] = "Tcp Keepalive",
        ["keepalives_idle"] = "Tcp Keepalive Time",
        ["keepalives_interval"] = "Tcp Keepalive Interval",
        ["sslmode"] = "SSL Mode",
        ["sslnegotiation"] = "SSL Negotiation",
        ["sslrootcert"] = "Root Certificate",
        ["sslcert"] = "SSL Certificate",
        ["sslkey"] = "SSL Key",
        ["sslpassword"] = "SSL Password",
        ["channel_binding"] = "Channel Binding",
        ["require_auth"] = "Require Auth",
        ["gssencmode"] = "GSS Encryption Mode",
        ["krbsrvname"] = "Kerberos Service Name",
    }.ToFrozenDictionary();

    /// <summary>Parameters that are not settings of one connection, and the two by which libpq chooses a server, which is the router's job.</summary>
    private static readonly FrozenSet<string> Others =
        new[] { "host", "hostaddr", "port", "fallback_application_name", "target_session_attrs", "load_balance_hosts" }.ToFrozenSet();

    /// <summary>The other parameters up to libpq 18. They are refused: ignoring one, such as the minimum TLS version, would not do what the URL asks for.</summary>
    private static readonly FrozenSet<string> WithoutCounterpart = new[]
    {
        "gssdelegation", "gsslib", "keepalives_count", "max_protocol_version", "min_protocol_version", "oauth_client_id", "oauth_client_secret", "oauth_issuer",
        "oauth_scope", "replication", "requirepeer", "requiressl", "scram_client_key", "scram_server_key", "service", "servicefile", "sslcertmode", "sslcompression",
        "sslcrl", "sslcrldir", "sslkeylogfile", "sslsni", "ssl_max_protocol_version", "ssl_min_protocol_version", "tcp_user_timeout",
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    public static IEnumerable<string> Names => NpgsqlNames.Keys.Concat(Others);

    /// <summary>Whether the router supports the parameter.</summary>
    /// <exception cref="ConnectionStringException">Npgsql has no counterpart of the parameter.</exception>
    public static bool Has(string name)
    {
        if (WithoutCounterpart.TryGetValue(name, out var only)) throw new ConnectionStringException($"has libpq's parameter '{only}', which Npgsql does not support. Remove it.");
        return NpgsqlNames.ContainsKey(name) || Others.Contains(name);
    }

    /// <summary>Applies the parameters of a URL, which are given with their last values.</summary>
    public static void Apply(Dictionary<string, string> given, NpgsqlConnectionStringBuilder settings)
    {
        foreach (var (name, value) in given)
        {
            var translated = LibpqValue.Translate(name, value);
            if (!NpgsqlNames.TryGetValue(name, out var npgsqlName)) continue;
            if (translated is null) settings.Remove(npgsqlName);
            else UrlParameters.Set(settings, npgsqlName, translated, name);
        }

        if (string.IsNullOrEmpty(settings.ApplicationName) && given.GetValueOrDefault("fallback_application_name") is { Length: > 0 } fallback) settings.ApplicationName = fallback;
        ApplyKeepAlives(given, settings);
        ApplyRoots(given, settings);
    }

    /// <summary>Removes the keepalive times if keepalives are off: Npgsql would turn them on if a time is set.</summary>
    private static void ApplyKeepAlives(Dictionary<string, string> given, NpgsqlConnectionStringBuilder settings)
    {
        if (settings.TcpKeepAlive || !given.ContainsKey("keepalives")) return;
        settings.Remove(NpgsqlNames["keepalives_idle"]);
        settings.Remove(NpgsqlNames["keepalives_interval"]);
    }

    private static void ApplyRoots(Dictionary<string, string> given, NpgsqlConnectionStringBuilder settings)
    {
        var root = given.GetValueOrDefault("sslrootcert");
        if (root == "system") TrustSystem(given.GetValueOrDefault("sslmode"), settings);
        // With a root certificate, libpq verifies the server even with sslmode=require; Npgsql does not.
        else if (root is { Length: > 0 } && settings.SslMode == SslMode.Require) settings.SslMode = SslMode.VerifyCA;

        if (settings.SslMode == SslMode.VerifyFull && given.GetValueOrDefault("hostaddr") is { Length: > 0 })
        {
            throw new ConnectionStringException("has 'hostaddr' with sslmode=verify-full, which checks the certificate against a host name. Use 'host' instead.");
        }
    }

    private static void TrustSystem(string? mode, NpgsqlConnectionStringBuilder settings)
    {
        if (mode is not (null or "verify-full")) throw new ConnectionStringException("has 'sslrootcert=system' with a weaker 'sslmode'. Write sslmode=verify-full, or remove sslmode.");
        if (HasDefaultRoot())
        {
            throw new ConnectionStringException("has 'sslrootcert=system', but Npgsql would use the file of PGSSLROOTCERT or ~/.postgresql/root.crt instead. Remove that, or name a file.");
        }

        settings.Remove(NpgsqlNames["sslrootcert"]);
        settings.SslMode = SslMode.VerifyFull;
    }

    /// <summary>Whether Npgsql finds a file of certificate authorities where a connection string names none. Source: Npgsql's <c>PostgresEnvironment</c>.</summary>
    private static bool HasDefaultRoot()
    {
        if (Environment.GetEnvironmentVariable("PGSSLROOTCERT") is not null) return true;
        var (home, folder) = OperatingSystem.IsWindows() ? ("APPDATA", "postgresql") : ("HOME", ".postgresql");
        return Environment.GetEnvironmentVariable(home) is { } path && File.Exists(Path.Combine(path, folder, "root.crt"));
    }
}
