using System.Globalization;
using Npgsql;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Checks.Proxies;

/// <summary>pgpool-II in front of a primary and its replicas, with load balancing of reads per session.</summary>
/// <param name="cluster">The servers; reads are not sent to the primary.</param>
/// <param name="clients">The most concurrent clients. Each has its own process and a connection to every server.</param>
internal sealed class Pgpool(LocalCluster cluster, int clients) : IProxyKind
{
    private readonly NpgsqlConnectionStringBuilder _login = new(cluster.Primary.ConnectionString);

    public string Name => "pgpool-II";

    public string Program => "/usr/sbin/pgpool";

    public IReadOnlyList<string> Arguments => ["-n", "-D", "-f", "pgpool.conf", "-F", "pcp.conf", "-a", "pool_hba.conf"];

    public IReadOnlyDictionary<string, string> Files(ProxyPlace place) => new Dictionary<string, string>
    {
        ["pcp.conf"] = "",
        ["pool_hba.conf"] = "host all all 127.0.0.1/32 scram-sha-256",
        // Plain text, because pgpool logs in to the servers itself, and SCRAM needs the password rather than a hash.
        ["pool_passwd"] = $"{_login.Username}:TEXT{_login.Password}",
        ["pgpool.conf"] = Configuration(place),
    };

    // Differs from pgpool's defaults only as its users are advised: quick health checks, no cache, no noise in the log.
    private string Configuration(ProxyPlace place) => string.Create(CultureInfo.InvariantCulture, $"""
        backend_clustering_mode = 'streaming_replication'
        listen_addresses = '127.0.0.1'
        port = {place.Port}
        pcp_listen_addresses = '127.0.0.1'
        pcp_port = {place.ControlPort}
        socket_dir = '{place.Folder}'
        pcp_socket_dir = '{place.Folder}'
        pid_file_name = '{place.Folder}/pgpool.pid'
        logdir = '{place.Folder}'
        log_min_messages = error
        enable_pool_hba = on
        pool_passwd = 'pool_passwd'
        num_init_children = {clients}
        max_pool = 1
        child_life_time = 0
        load_balance_mode = on
        disable_load_balance_on_write = 'transaction'
        sr_check_period = 1
        sr_check_user = '{_login.Username}'
        sr_check_database = '{_login.Database}'
        health_check_period = 1
        health_check_timeout = 2
        health_check_max_retries = 1
        health_check_user = '{_login.Username}'
        health_check_database = '{_login.Database}'
        auto_failback = on
        auto_failback_interval = 1
        enable_shared_relcache = on
        memory_cache_enabled = off
        {string.Join('\n', cluster.Servers.Select(Backend))}
        """);

    private string Backend(LocalServer server, int number) => string.Create(CultureInfo.InvariantCulture, $"""
        backend_hostname{number} = '127.0.0.1'
        backend_port{number} = {server.Port}
        backend_weight{number} = {(server == cluster.Primary ? 0 : 1)}
        backend_flag{number} = 'ALLOW_TO_FAILOVER'
        """);
}
