using System.Security.Cryptography;

namespace ReplicaRouter.Testing;

/// <summary>What a <see cref="LocalCluster"/> consists of. Every property has a default.</summary>
public sealed class LocalClusterOptions
{
    /// <summary>The streaming replicas.</summary>
    /// <value>Default <c>analytics</c>, <c>background</c> and <c>dr</c>; can be empty. An upstream must come before its replicas.</value>
    public IReadOnlyList<LocalReplicaOptions> Replicas { get; set; } =
        [new() { Name = "analytics" }, new() { Name = "background" }, new() { Name = "dr" }];

    /// <summary>The major version of PostgreSQL.</summary>
    /// <value>15 to 18; default <see langword="null"/>: the first one found, in Debian's folders the newest.</value>
    public int? Version { get; set; }

    /// <summary>The folder that contains <c>postgres</c> and <c>initdb</c>.</summary>
    /// <value>Default <see langword="null"/>: the folder in the environment variable <c>REPLICAROUTER_PG_BIN</c>, else
    /// <c>/usr/lib/postgresql/*/bin</c>, else the folders of <c>PATH</c>.</value>
    public string? BinDirectory { get; set; }

    /// <summary>The database, owned by <see cref="User"/>.</summary>
    /// <value>Default <c>app</c>.</value>
    public string Database { get; set; } = "app";

    /// <summary>An ordinary role, neither a superuser nor a member of a monitoring role. The cluster has its own superuser.</summary>
    /// <value>Default <c>app</c>.</value>
    public string User { get; set; } = "app";

    /// <summary>The password of <see cref="User"/>, which the servers check (SCRAM) on every connection.</summary>
    /// <value>Default: a random password for each options object.</value>
    public string Password { get; set; } = RandomNumberGenerator.GetHexString(24, lowercase: true);

    /// <summary>Further settings of <c>postgresql.conf</c> for every server. They override this package's own, except those
    /// that the cluster depends on, such as addresses, ports and the replication source.</summary>
    /// <value>Default empty.</value>
    public IDictionary<string, string> Settings { get; } = new Dictionary<string, string>();

    /// <summary>The folder of a cluster that outlives the process that started it. A later start with the same folder resumes the cluster.</summary>
    /// <value>A folder that is empty, does not exist, or contains such a cluster, whose own configuration then overrides the other options. The account that
    /// the servers run as must be able to reach it. Default <see langword="null"/>: a temporary folder, and the cluster ends with its process.</value>
    public string? Folder { get; set; }

    /// <summary>The TCP port of the first primary.</summary>
    /// <value>Default <see langword="null"/>: a free port.</value>
    public int? PrimaryPort { get; set; }

    /// <summary>Longest wait for the whole cluster to start, and later for each change.</summary>
    /// <value>Default 30 s.</value>
    public TimeSpan StartTimeout { get; set; } = TimeSpan.FromSeconds(30);
}
