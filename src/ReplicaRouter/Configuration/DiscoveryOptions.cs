namespace ReplicaRouter;

/// <summary>The discovery of hosts that the configuration does not name.</summary>
/// <remarks>
/// Connections to discovered hosts use the user, password, database and TLS settings of the configured primary. They authenticate by SCRAM only, unless
/// the primary's connection string says otherwise (<c>Require Auth</c>), or TLS proves each server: <c>verify-full</c> or <c>verify-ca</c> with a root
/// certificate, or <c>verify-full</c> with <see cref="AllowedHosts"/>.
/// </remarks>
public sealed class DiscoveryOptions
{
    /// <summary>Time between two queries of a source whose answers have no validity period, and after a failed query.</summary>
    /// <value>Default 10 s; 1 s to 1 h.</value>
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Time-out of a query.</summary>
    /// <value>Default 5 s; 100 ms to 1 min.</value>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The groups that discovered hosts serve, unless their source names the groups.</summary>
    /// <value>Empty, the default, means <c>read</c>.</value>
    public IList<string> Groups { get; } = [];

    /// <summary>
    /// The hosts that sources are allowed to name: names (<c>db-1.internal</c>), wildcards (<c>*.db.internal</c>), addresses, and networks (<c>10.0.0.0/8</c>).
    /// Other hosts are ignored. Names are compared as the source writes them, and not resolved.
    /// </summary>
    /// <value>Empty, the default, allows every host and logs a warning (333), unless a certificate proves each server.</value>
    public IList<string> AllowedHosts { get; } = [];

    /// <summary>Discovery by DNS.</summary>
    public DnsDiscoveryOptions Dns { get; } = new();

    /// <summary>Discovery by Patroni's REST API.</summary>
    public PatroniDiscoveryOptions Patroni { get; } = new();

    /// <summary>Discovery by Amazon Aurora's topology function.</summary>
    public AuroraDiscoveryOptions Aurora { get; } = new();

    /// <summary>Adds your own discovery source.</summary>
    public void Add(IHostDiscoverySource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        AddedSources.Add(source);
    }

    /// <summary>The sources that the application added.</summary>
    internal List<IHostDiscoverySource> AddedSources { get; } = [];
}

/// <summary>Discovery by DNS. Names are used as written: without search domains or the hosts file.</summary>
public sealed class DnsDiscoveryOptions
{
    /// <summary>
    /// The name to query. A name that begins with an underscore, such as <c>_postgresql._tcp.db.internal</c>, is queried for SRV records, which contain ports and
    /// weights; any other for A and AAAA records, where each address is a host.
    /// </summary>
    /// <value>Default none: DNS is not queried.</value>
    public string? Name { get; set; }

    /// <summary>The port of hosts found by A and AAAA records.</summary>
    /// <value>Default 5432; 1 to 65535.</value>
    public int Port { get; set; } = 5432;

    /// <summary>The DNS server, as an IP address or <c>address:port</c>.</summary>
    /// <value>Default none: the system's DNS servers.</value>
    public string? Nameserver { get; set; }
}

/// <summary>Discovery by Patroni's <c>GET /cluster</c>. A member with the tag <c>noloadbalance</c> serves only as primary. Tags become labels, such as <c>zone=eu-1</c>.</summary>
public sealed class PatroniDiscoveryOptions
{
    /// <summary>REST API URLs of some members, such as <c>http://db-1:8008</c>. One that answers is enough: it names the others. User information in the URL is sent.</summary>
    /// <value>Default none: Patroni is not queried.</value>
    public IList<string> Urls { get; } = [];

    /// <summary>A PEM file with the certificate authority of the members, for <c>https</c>.</summary>
    /// <value>Default none: the system's trusted authorities.</value>
    public string? CertificateAuthorityFile { get; set; }
}

/// <summary>Discovery by <c>aurora_replica_status()</c>, which any instance of an Amazon Aurora cluster answers.</summary>
public sealed class AuroraDiscoveryOptions
{
    /// <summary>
    /// The pattern of instance addresses, such as <c>?.abc123.eu-west-1.rds.amazonaws.com</c>: the instance's name replaces the <c>?</c>. Add a port if it isn't 5432.
    /// </summary>
    /// <value>Default none: Aurora is not queried.</value>
    public string? HostPattern { get; set; }
}
