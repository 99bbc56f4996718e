using System.Globalization;
using Npgsql;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Checks.Proxies;

/// <summary>PgBouncer in front of one server, in transaction pooling mode.</summary>
/// <param name="server">The server behind it.</param>
/// <param name="ignored">Its <c>ignore_startup_parameters</c>.</param>
/// <param name="poolSize">Its <c>default_pool_size</c>: the most connections to the server.</param>
internal sealed class PgBouncer(LocalServer server, string ignored = PgBouncer.IgnoredByDefault, int poolSize = 20) : IProxyKind
{
    /// <summary>The startup parameters that the router's connections send and that PgBouncer 1.18 rejects unless it is configured to ignore them.</summary>
    public const string IgnoredByDefault = "extra_float_digits,options";

    private readonly NpgsqlConnectionStringBuilder _server = new(server.ConnectionString);

    public string Name => "PgBouncer";

    public string Program => "/usr/sbin/pgbouncer";

    public IReadOnlyList<string> Arguments => ["pgbouncer.ini"];

    public IReadOnlyDictionary<string, string> Files(ProxyPlace place) => new Dictionary<string, string>
    {
        ["users.txt"] = $"""
            "{_server.Username}" "{_server.Password}"
            """,
        ["pgbouncer.ini"] = string.Create(CultureInfo.InvariantCulture, $"""
            [databases]
            {_server.Database} = host={_server.Host} port={_server.Port}

            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {place.Port}
            unix_socket_dir =
            auth_type = scram-sha-256
            auth_file = users.txt
            pool_mode = transaction
            max_client_conn = 500
            default_pool_size = {poolSize}
            ignore_startup_parameters = {ignored}
            """),
    };
}
