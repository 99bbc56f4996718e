using Npgsql;

namespace ReplicaRouter.ClusterTests.Urls;

/// <summary>Compares what libpq connects with, given the parameters of a URL, to what the router connects with, in libpq's terms.</summary>
/// <remarks>Source: PostgreSQL manual, "Parameter Key Words" and "SSL Support".</remarks>
internal static class LibpqAnswer
{
    private const string DefaultPort = "5432";

    /// <summary>With these libpq chooses among hosts; the router makes that choice itself.</summary>
    private static readonly string[] s_withoutEffect = ["target_session_attrs", "load_balance_hosts"];

    private static readonly Dictionary<string, Func<NpgsqlConnectionStringBuilder, string?>> s_views = new()
    {
        ["user"] = s => s.Username,
        ["password"] = s => s.Password,
        ["passfile"] = s => s.Passfile,
        ["dbname"] = s => s.Database,
        ["options"] = s => s.Options,
        ["application_name"] = s => s.ApplicationName,
        ["client_encoding"] = s => s.ClientEncoding,
        ["connect_timeout"] = s => $"{s.Timeout}",
        ["keepalives"] = s => s.TcpKeepAlive ? "1" : "0",
        ["keepalives_idle"] = s => $"{s.TcpKeepAliveTime}",
        ["keepalives_interval"] = s => $"{s.TcpKeepAliveInterval}",
        ["sslmode"] = s => s.SslMode switch { SslMode.VerifyCA => "verify-ca", SslMode.VerifyFull => "verify-full", var mode => mode.ToString().ToLowerInvariant() },
        ["sslnegotiation"] = s => s.SslNegotiation.ToString().ToLowerInvariant(),
        ["sslrootcert"] = s => s.RootCertificate,
        ["sslcert"] = s => s.SslCertificate,
        ["sslkey"] = s => s.SslKey,
        ["sslpassword"] = s => s.SslPassword,
        ["channel_binding"] = s => s.ChannelBinding.ToString().ToLowerInvariant(),
        ["gssencmode"] = s => s.GssEncryptionMode.ToString().ToLowerInvariant(),
        ["krbsrvname"] = s => s.KerberosServiceName,
        ["require_auth"] = s => s.RequireAuth?.ToLowerInvariant().Replace("scramsha256", "scram-sha-256", StringComparison.Ordinal),
    };

    /// <summary>Fails if the router would connect to other hosts or with other settings than libpq.</summary>
    /// <param name="stated">The parameters that libpq reads in the URL.</param>
    /// <param name="hosts">The settings that the router reads in it, one entry per host.</param>
    public static void AssertSame(Dictionary<string, string> stated, IReadOnlyList<NpgsqlConnectionStringBuilder> hosts)
    {
        Assert.Equal(Hosts(stated), hosts.Select(host => $"{host.Host} {host.Port}"));
        var used = Used(stated);
        Assert.Empty(used.Keys.Except(s_views.Keys));
        var defaults = new NpgsqlConnectionStringBuilder();
        foreach (var host in hosts)
        {
            foreach (var (name, view) in s_views) Assert.Equal((name, used.GetValueOrDefault(name) ?? view(defaults)), (name, view(host)));
        }
    }

    private static IEnumerable<string> Hosts(Dictionary<string, string> stated)
    {
        var hosts = (stated.GetValueOrDefault("hostaddr") is { Length: > 0 } addresses ? addresses : stated.GetValueOrDefault("host", "")).Split(',');
        var ports = stated.GetValueOrDefault("port", "").Split(',');
        return hosts.Select((host, index) => $"{host} {(ports[ports.Length == 1 ? 0 : index] is { Length: > 0 } port ? port : DefaultPort)}");
    }

    /// <summary>Returns the parameters as libpq uses them: an empty one counts as absent, and some depend on others.</summary>
    private static Dictionary<string, string> Used(Dictionary<string, string> stated)
    {
        var used = stated.Where(pair => pair.Value.Length > 0 && pair.Key is not ("host" or "hostaddr" or "port") && !s_withoutEffect.Contains(pair.Key)).ToDictionary();
        if (used.Remove("fallback_application_name", out var fallback)) used.TryAdd("application_name", fallback);
        if (used.GetValueOrDefault("keepalives") is { } keepAlives) used["keepalives"] = keepAlives == "0" ? "0" : "1";
        if (used.GetValueOrDefault("keepalives") == "0")
        {
            used.Remove("keepalives_idle");
            used.Remove("keepalives_interval");
        }

        // From version 16 on, "system" is not a file.
        if (used.GetValueOrDefault("sslrootcert") == "system")
        {
            used.Remove("sslrootcert");
            used["sslmode"] = "verify-full";
        }

        if (used.ContainsKey("sslrootcert") && used.GetValueOrDefault("sslmode") == "require") used["sslmode"] = "verify-ca";
        return used;
    }
}
