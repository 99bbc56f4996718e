namespace ReplicaRouter;

/// <summary>Who finds hosts that the configuration does not name.</summary>
/// <remarks>
/// Discovered hosts are connected to as the configured primary is: with its user, password, database and TLS settings. They get the password by SCRAM only, unless
/// the primary's connection string says otherwise (<c>Require Auth</c>), or TLS proves each server: <c>verify-full</c> or <c>verify-ca</c> with a root
/// certificate, or <c>verify-full</c> with <see cref="AllowedHosts"/>.
/// </remarks>
public sealed class DiscoveryOptions
{
    /// <summary>Time between two questions to a source whose answer does not say how long it holds, and after one that failed.</summary>
    /// <value>Default 10 s; 1 s to 1 h.</value>
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Time that an answer may take.</summary>
    /// <value>Default 5 s; 100 ms to 1 min.</value>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The groups that discovered hosts serve, unless their source says so itself.</summary>
    /// <value>Empty, the default, is <c>read</c>.</value>
    public IList<string> Groups { get; } = [];

    /// <summary>
    /// The hosts that sources may name: names as <c>db-1.internal</c>, all names below one as <c>*.db.internal</c>, addresses, and networks as <c>10.0.0.0/8</c>.
    /// Others are ignored. Names are compared as the source writes them, and not resolved.
    /// </summary>
    /// <value>Empty, the default, allows every host; the log warns of it (333), unless a certificate proves each server.</value>
    public IList<string> AllowedHosts { get; } = [];

    /// <summary>Hosts by DNS.</summary>
    public DnsDiscoveryOptions Dns { get; } = new();

    /// <summary>Hosts by Patroni's REST API.</summary>
    public PatroniDiscoveryOptions Patroni { get; } = new();

    /// <summary>Hosts by Amazon Aurora's own view of its cluster.</summary>
    public AuroraDiscoveryOptions Aurora { get; } = new();

    /// <summary>Asks a source of your own as well.</summary>
    public void Add(IHostDiscoverySource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        AddedSources.Add(source);
    }

    /// <summary>The sources of one's own.</summary>
    internal List<IHostDiscoverySource> AddedSources { get; } = [];
}

/// <summary>Hosts by DNS. Names are taken as they are: no search domain is added, and no hosts file is read.</summary>
public sealed class DnsDiscoveryOptions
{
    /// <summary>
    /// The name to ask for. One that begins with an underscore, as <c>_postgresql._tcp.db.internal</c>, is asked for SRV records, which tell ports and
    /// weights; any other for A and AAAA records, of which each address is a host.
    /// </summary>
    /// <value>Default none: DNS is not asked.</value>
    public string? Name { get; set; }

    /// <summary>The port of hosts that are found by their addresses.</summary>
    /// <value>Default 5432; 1 to 65535.</value>
    public int Port { get; set; } = 5432;

    /// <summary>The server to ask, as an IP address or <c>address:port</c>.</summary>
    /// <value>Default none: those of the system.</value>
    public string? Nameserver { get; set; }
}

/// <summary>Hosts by Patroni's <c>GET /cluster</c>. A member with the tag <c>noloadbalance</c> serves as primary only; tags become labels, as in <c>zone=eu-1</c>.</summary>
public sealed class PatroniDiscoveryOptions
{
    /// <summary>REST APIs of some members, as <c>http://db-1:8008</c>: any one that answers will do, and tells of the others. User information in the URL is sent.</summary>
    /// <value>Default none: Patroni is not asked.</value>
    public IList<string> Urls { get; } = [];

    /// <summary>A PEM file with the authority that signed the members' certificates, for <c>https</c>.</summary>
    /// <value>Default none: those that the system trusts.</value>
    public string? CertificateAuthorityFile { get; set; }
}

/// <summary>Hosts by <c>aurora_replica_status()</c>, which any instance of an Amazon Aurora cluster answers.</summary>
public sealed class AuroraDiscoveryOptions
{
    /// <summary>How an instance's address is made of its name, which takes the place of the <c>?</c>: as in <c>?.abc123.eu-west-1.rds.amazonaws.com</c>, with a port where it isn't 5432.</summary>
    /// <value>Default none: Aurora is not asked.</value>
    public string? HostPattern { get; set; }
}
