namespace ReplicaRouter;

/// <summary>The settings of one route. A setting that is <see langword="null"/> or empty uses the route's default.</summary>
public sealed class DatabaseRouteOptions
{
    /// <summary>The groups that serve the route, in order of preference. <c>primary</c> is the observed primary.</summary>
    /// <value>
    /// Defaults: <c>write</c> and <c>transactional</c>: primary; <c>read</c> and named routes: read, primary, dr;
    /// <c>analytics</c>: analytics, read, primary, dr; <c>background</c>: background, read, primary, dr.
    /// </value>
    public IList<string> Groups { get; } = [];

    /// <summary>Replication lag above which a replica stops serving this route.</summary>
    /// <value>Default: <see cref="DatabaseRouterOptions.MaxLag"/>, 5 s; 100 ms to 1 h.</value>
    public TimeSpan? MaxLag { get; set; }

    /// <summary>Whether connections of this route set <c>default_transaction_read_only</c>, so that a write fails with SQLSTATE 25006 on any host.</summary>
    /// <value>Default: false for routes that only the primary serves, else true.</value>
    public bool? ReadOnly { get; set; }

    /// <summary>
    /// Total time that an operation waits for an eligible host, or for a connection of an exhausted pool. It starts when the operation first has to wait, and
    /// stops while the operation holds a connection.
    /// Without a primary, a session read that needs the primary's position waits as long as a write.
    /// </summary>
    /// <value>Default 10 s for routes that only the primary serves, else 2 s; 0 to 10 min.</value>
    public TimeSpan? Wait { get; set; }

    /// <summary>Maximum number of operations that wait for a host at the same time. Any further one fails immediately, as it otherwise would after <see cref="Wait"/>.</summary>
    /// <value>Default 1000; 0 to 1,000,000.</value>
    public int? MaxWaiting { get; set; }

    /// <summary>
    /// Whether <c>ExecuteAsync</c> hedges slow reads: a read that is slower than 97 of 100 gets a second attempt on another replica, and a third if that is slow
    /// too. The first answer wins; the other attempts are cancelled. Hedged attempts take less than a twentieth of the time of all reads, and never run on the
    /// primary. Only for work that can run several times at once.
    /// </summary>
    /// <value>Default false. No effect on writable routes.</value>
    public bool AllowHedging { get; set; }

    /// <summary>What reads of this route may miss, unless the call sets it.</summary>
    /// <value>Default <see cref="ReplicaRouter.Consistency.Session"/>: reads see what their session has written or read. No effect outside a session.</value>
    public Consistency? Consistency { get; set; }

    /// <summary>How long a read waits for a replica to replay what its session has written or read, before the primary serves it instead.</summary>
    /// <remarks>A read does not wait for a replica that is known to lag by more than this: the primary serves it at once.</remarks>
    /// <value>Default 50 ms; for analytics and background 5 s. 0 to 1 min.</value>
    public TimeSpan? CatchUpWait { get; set; }

    /// <summary>Maximum number of the route's connections to one host.</summary>
    /// <value>Default: the connection string's, else write and transactional 20, read and named routes 30, analytics and background 10; at least 1.</value>
    public int? MaxPoolSize { get; set; }

    /// <summary>Minimum number of connections that the route keeps open to one host, even idle.</summary>
    /// <value>Default: the connection string's, else 0; at most <see cref="MaxPoolSize"/>.</value>
    public int? MinPoolSize { get; set; }

    /// <summary>Time-out of opening one connection to one host.</summary>
    /// <value>Default: the connection string's, else 5 s; 1 s to 5 min, in whole seconds.</value>
    public TimeSpan? ConnectTimeout { get; set; }

    /// <summary>Time-out of a command.</summary>
    /// <value>Default: the connection string's, else 30 s, for analytics 5 min; 1 s to 1 day, in whole seconds.</value>
    public TimeSpan? CommandTimeout { get; set; }
}
