using Npgsql;

namespace ReplicaRouter;

/// <summary>The configuration of a router: its hosts and routes, and how it watches them.</summary>
public sealed class DatabaseRouterOptions
{
    /// <summary>The configuration section of these options: <c>ReplicaRouter</c>. A named router's section is <c>ReplicaRouters:</c><i>name</i>.</summary>
    public const string SectionName = "ReplicaRouter";

    /// <summary>The servers by host name: <c>primary</c> (required), <c>analytics</c>, <c>background</c>, <c>replica-3</c>, <c>dr</c>, or any other.</summary>
    /// <value>1 to 64 hosts. Names are case-insensitive.</value>
    public IDictionary<string, DatabaseHostOptions> Hosts { get; } = new Dictionary<string, DatabaseHostOptions>(StringComparer.OrdinalIgnoreCase);

    /// <summary>The settings of routes, by name: of the five built-in routes, and of your own.</summary>
    /// <value>Names are case-insensitive. A missing route uses the defaults.</value>
    public IDictionary<string, DatabaseRouteOptions> Routes { get; } = new Dictionary<string, DatabaseRouteOptions>(StringComparer.OrdinalIgnoreCase);

    /// <summary>The settings of probes.</summary>
    public HealthOptions Health { get; } = new();

    /// <summary>The limits of reads that fall back to the primary.</summary>
    public PrimaryProtectionOptions PrimaryProtection { get; } = new();

    /// <summary>Replication lag above which a replica counts as lagging, and the default limit of routes.</summary>
    /// <value>Default 5 s; 100 ms to 1 h, and at least 2.5 times <see cref="HealthOptions.Interval"/>: probes can't prove less.</value>
    public TimeSpan MaxLag { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long <see cref="DatabaseRouter.ForceFailoverToPrimaryAsync(TimeSpan?, CancellationToken)"/> keeps all reads on the primary.</summary>
    /// <value>Default 5 s; 100 ms to 1 h.</value>
    public TimeSpan ForcedFailoverDuration { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long <see cref="DatabaseRouter.DrainAsync"/> waits for connections in use, and how long connections in use can continue after their host is removed or
    /// its connection settings change. After that they are cut.
    /// </summary>
    /// <value>Default 120 s; 0 to 1 h. With zero, <c>DrainAsync</c> does not wait, and connections to a removed host are cut at once.</value>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(120);

    /// <summary>
    /// Idle time after which the router checks that a connection is alive before a caller gets it: a tenth of a minute, the shortest time after which load balancers
    /// and firewalls commonly drop a connection.
    /// </summary>
    internal TimeSpan AskIdleAfter { get; set; } = TimeSpan.FromSeconds(6);

    /// <summary>
    /// Signs session tokens; unsigned ones are then ignored. Set it if tokens pass through parties that you don't trust: a client's
    /// cookie, a queue that others write to. Without it, tokens are protected against damage but not against forgery. A forged token can
    /// at worst delay or fail its bearer's own operations, and send them to the primary.
    /// </summary>
    /// <value>Default none; at least 32 characters, the same in every process that exchanges tokens.</value>
    public string? TokenSecret { get; set; }

    /// <summary>
    /// Further secrets whose tokens are accepted, for rotation of <see cref="TokenSecret"/> without downtime: add the new secret here in all processes, then make
    /// it the <see cref="TokenSecret"/> and move the old one here, and remove that once its tokens have expired.
    /// </summary>
    /// <value>Default none; each at least 32 characters.</value>
    public IList<string> AcceptedTokenSecrets { get; } = [];

    /// <summary>
    /// Time after a session's last write in which its reads stay on the primary, instead of tracking WAL positions. Only for servers whose
    /// position functions can't be used, such as behind a pooler in front of several servers: a replica that lags for longer returns stale data.
    /// </summary>
    /// <value>Default none: sessions track WAL positions. 100 ms to 1 h.</value>
    public TimeSpan? SessionWindow { get; set; }

    /// <summary>The application name on the servers (<c>pg_stat_activity.application_name</c>). The router appends the route.</summary>
    /// <value>Default: the connection string's, else the name of the entry assembly.</value>
    public string? ApplicationName { get; set; }

    /// <summary>The discovery of hosts that the configuration does not name, by DNS, Patroni's REST API or Aurora's topology function.</summary>
    public DiscoveryOptions Discovery { get; } = new();

    /// <summary>
    /// Returns the password of a host, in place of the one in its connection string. Called at each login, for callers and for probes. A rotated
    /// password takes effect at the next login; open connections continue.
    /// </summary>
    /// <remarks>
    /// Several threads call it at once, and synchronous opens block on it. A provider that queries a service must therefore cache the password while it is valid,
    /// such as 15 minutes for an IAM token. The cancellation token belongs to the login. If the provider fails, that host gets no new connections, but open ones keep
    /// serving; the log and the health status show the error.
    /// </remarks>
    /// <value>Default none.</value>
    public Func<PasswordRequest, CancellationToken, ValueTask<string>>? PasswordProvider { get; set; }

    /// <summary>Configures the data source of every host and route, to map enums, add plugins or set TLS callbacks. Also applies to the router's own connections.</summary>
    /// <remarks>
    /// The router itself uses the physical connection initializer. Mapped types can be created later: each host finds them within two probes, or within 10 s if
    /// temporary tables are created constantly.
    /// </remarks>
    public Action<NpgsqlDataSourceBuilder>? ConfigureDataSource { get; set; }

    /// <summary>The router's clock.</summary>
    /// <value>Default <see langword="null"/>: the application's registered <see cref="System.TimeProvider"/>, else the system clock.</value>
    public TimeProvider? TimeProvider { get; set; }

    /// <summary>The locations that these options were read from, for messages.</summary>
    internal ConfigurationNames Names { get; set; } = ConfigurationNames.Of(null);

    /// <summary>Faults found while these options were read, to be reported together with the faults of their values.</summary>
    internal List<string> Faults { get; } = [];
}
