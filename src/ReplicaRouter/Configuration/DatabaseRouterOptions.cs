using Npgsql;

namespace ReplicaRouter;

/// <summary>What a router is to know: its hosts, its routes, and how it watches them.</summary>
public sealed class DatabaseRouterOptions
{
    /// <summary>The configuration section that holds these options: <c>ReplicaRouter</c>. Those of a router with a name are in <c>ReplicaRouters:</c><i>name</i>.</summary>
    public const string SectionName = "ReplicaRouter";

    /// <summary>The servers by host name: <c>primary</c> (required), <c>analytics</c>, <c>background</c>, <c>replica-3</c>, <c>dr</c>, or any other.</summary>
    /// <value>1 to 64 hosts. Names don't distinguish case.</value>
    public IDictionary<string, DatabaseHostOptions> Hosts { get; } = new Dictionary<string, DatabaseHostOptions>(StringComparer.OrdinalIgnoreCase);

    /// <summary>Settings by route name: of the five built-in routes, and of further ones of your own.</summary>
    /// <value>Names don't distinguish case. A route that is absent has its defaults.</value>
    public IDictionary<string, DatabaseRouteOptions> Routes { get; } = new Dictionary<string, DatabaseRouteOptions>(StringComparer.OrdinalIgnoreCase);

    /// <summary>How hosts are watched.</summary>
    public HealthOptions Health { get; } = new();

    /// <summary>What the primary serves for replicas that can't.</summary>
    public PrimaryProtectionOptions PrimaryProtection { get; } = new();

    /// <summary>Replication lag above which a replica counts as lagging, and the limit of every route that sets none.</summary>
    /// <value>Default 5 s; 100 ms to 1 h, and at least 2.5 times <see cref="HealthOptions.Interval"/>: probes can't prove less.</value>
    public TimeSpan MaxLag { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long <see cref="DatabaseRouter.ForceFailoverToPrimaryAsync(TimeSpan?, CancellationToken)"/> keeps all reads on the primary.</summary>
    /// <value>Default 5 s; 100 ms to 1 h.</value>
    public TimeSpan ForcedFailoverDuration { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long <see cref="DatabaseRouter.DrainAsync"/> waits for connections in use before it returns, and how long connections to a host that was removed, or
    /// that is connected to in another way since, may go on; what is still in use then is cut.
    /// </summary>
    /// <value>Default 120 s; 0 to 1 h. Zero does not wait: what is in use on a host that is removed is cut at once.</value>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(120);

    /// <summary>
    /// Time without use after which a connection is asked whether it is still alive, before a caller gets it: a tenth of the shortest time after which load balancers and
    /// firewalls commonly forget a connection, a minute or more.
    /// </summary>
    internal TimeSpan AskIdleAfter { get; set; } = TimeSpan.FromSeconds(6);

    /// <summary>
    /// Signs the tokens of sessions, and has unsigned ones ignored. Set it where tokens pass through hands that you don't trust: a client's
    /// cookie, a queue that others write to. Without it a token is protected against damage, not against forgery; the most that a forged one
    /// could do is to hold up or refuse its bearer's own operations, and to send them to the primary.
    /// </summary>
    /// <value>Default none; 32 characters or more, the same in every process that exchanges tokens.</value>
    public string? TokenSecret { get; set; }

    /// <summary>
    /// Further secrets whose tokens are accepted, so that <see cref="TokenSecret"/> can be replaced while processes run: add the new secret here in all processes, then make
    /// it the <see cref="TokenSecret"/> and put the old one here, and remove that once its tokens have expired.
    /// </summary>
    /// <value>Default none; each of 32 characters or more.</value>
    public IList<string> AcceptedTokenSecrets { get; } = [];

    /// <summary>
    /// Keeps the reads of a session on the primary for this long after its last write, in place of WAL positions. Only for servers whose
    /// position functions can't be used, as behind a pooler that leads to several servers: a replica that lags for longer shows old data.
    /// </summary>
    /// <value>Default none: sessions go by WAL position. 100 ms to 1 h.</value>
    public TimeSpan? SessionWindow { get; set; }

    /// <summary>The application's name as the servers show it (<c>pg_stat_activity.application_name</c>), followed by the route.</summary>
    /// <value>Default: the connection string's, else the name of the entry assembly.</value>
    public string? ApplicationName { get; set; }

    /// <summary>Who finds hosts that the configuration does not name, by DNS, Patroni's REST API or Aurora's own view.</summary>
    public DiscoveryOptions Discovery { get; } = new();

    /// <summary>
    /// Gives the password of a host, in place of the one in its connection string. Called at each login: callers' and the router's own probes. A rotated
    /// password takes effect with the next login, and connections that are open go on.
    /// </summary>
    /// <remarks>
    /// Called by several threads at once, and for callers who open a connection synchronously it is waited for: a provider that asks a service keeps what it
    /// got for as long as that is valid, as 15 minutes for an IAM token. The cancellation token belongs to the login. When it fails, nobody new is let in on
    /// that host: open connections go on serving, and the log and the health status tell its error.
    /// </remarks>
    /// <value>Default none.</value>
    public Func<PasswordRequest, CancellationToken, ValueTask<string>>? PasswordProvider { get; set; }

    /// <summary>Called for the data source of every host and route, to map enums, add plugins, or set TLS callbacks; and for the router's own connections, as of its probes.</summary>
    /// <remarks>The physical connection initializer belongs to the router. What is mapped may be created later: its type is found on each host within two probes, or within 10 s where temporary tables are created all the time.</remarks>
    public Action<NpgsqlDataSourceBuilder>? ConfigureDataSource { get; set; }

    /// <summary>The clock of everything that the router does.</summary>
    /// <value>Default <see langword="null"/>: the application's registered <see cref="System.TimeProvider"/>, else the system's.</value>
    public TimeProvider? TimeProvider { get; set; }

    /// <summary>Where these options were read from, for messages.</summary>
    internal ConfigurationNames Names { get; set; } = ConfigurationNames.Default;

    /// <summary>What was wrong where these options were read from, to be reported with what is wrong in them.</summary>
    internal List<string> Faults { get; } = [];
}
