using System.Security.Cryptography;

namespace ReplicaRouter.Testing;

/// <summary>What a <see cref="LocalCluster"/> consists of. Every property has a default.</summary>
public sealed class LocalClusterOptions
{
    /// <summary>The streaming replicas.</summary>
    /// <value>Default <c>analytics</c>, <c>background</c> and <c>dr</c>; may be empty.</value>
    public IReadOnlyList<LocalReplicaOptions> Replicas { get; set; } =
        [new() { Name = "analytics" }, new() { Name = "background" }, new() { Name = "dr" }];

    /// <summary>The major version of PostgreSQL.</summary>
    /// <value>15 to 18; default <see langword="null"/>: the first one found, the newest first in Debian's folders.</value>
    public int? Version { get; set; }

    /// <summary>The folder that holds <c>postgres</c> and <c>initdb</c>.</summary>
    /// <value>Default <see langword="null"/>: the one named by the variable <c>REPLICAROUTER_PG_BIN</c>, else
    /// <c>/usr/lib/postgresql/*/bin</c>, else those of <c>PATH</c>.</value>
    public string? BinDirectory { get; set; }

    /// <summary>The database, owned by <see cref="User"/>.</summary>
    /// <value>Default <c>app</c>.</value>
    public string Database { get; set; } = "app";

    /// <summary>An ordinary role, neither superuser nor member of a monitoring role. The cluster has a superuser of its own.</summary>
    /// <value>Default <c>app</c>.</value>
    public string User { get; set; } = "app";

    /// <summary>The password of <see cref="User"/>, really asked for (SCRAM) on every connection.</summary>
    /// <value>Default: a random one per options object.</value>
    public string Password { get; set; } = RandomNumberGenerator.GetHexString(24, lowercase: true);

    /// <summary>Further settings of <c>postgresql.conf</c>, for every server. They win over this package's own, other
    /// than those that make the cluster: addresses, port and the replication source.</summary>
    /// <value>Default empty.</value>
    public IDictionary<string, string> Settings { get; } = new Dictionary<string, string>();

    /// <summary>Where a cluster lives that outlives the process that started it, to be taken up again by the same folder.</summary>
    /// <value>A folder that is empty, not there yet, or holds such a cluster: what that consists of then wins over the other options. The account that
    /// the servers run as must be able to reach it. Default <see langword="null"/>: a temporary folder, and the cluster ends with its process.</value>
    public string? Folder { get; set; }

    /// <summary>The TCP port of the first primary.</summary>
    /// <value>Default <see langword="null"/>: a free one.</value>
    public int? PrimaryPort { get; set; }

    /// <summary>Longest wait for the whole cluster at its start, and then for each change asked of it.</summary>
    /// <value>Default 30 s.</value>
    public TimeSpan StartTimeout { get; set; } = TimeSpan.FromSeconds(30);
}
