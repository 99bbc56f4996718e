namespace ReplicaRouter;

/// <summary>Settings of one route. What is left <see langword="null"/> or empty has the route's default.</summary>
public sealed class DatabaseRouteOptions
{
    /// <summary>The groups that serve the route, best first; <c>primary</c> is whichever host is observed to be the primary.</summary>
    /// <value>
    /// Defaults: <c>write</c> and <c>transactional</c>: primary; <c>read</c> and named routes: read, primary, dr;
    /// <c>analytics</c>: analytics, read, primary, dr; <c>background</c>: background, read, primary, dr.
    /// </value>
    public IList<string> Groups { get; } = [];

    /// <summary>Replication lag above which a replica stops serving this route.</summary>
    /// <value>Default: <see cref="DatabaseRouterOptions.MaxLag"/>, 5 s; 100 ms to 1 h.</value>
    public TimeSpan? MaxLag { get; set; }

    /// <summary>Whether connections of this route are opened with <c>default_transaction_read_only</c>, so that a write on them is the server's error 25006 wherever they lead.</summary>
    /// <value>Default: false for routes that only the primary serves, else true.</value>
    public bool? ReadOnly { get; set; }

    /// <summary>
    /// How long an operation waits, all in all, for a host that may serve, or for a connection where all that the pool may have are in use. It counts from the
    /// moment at which the operation has to wait, and not while a connection is in its hands.
    /// A read of a session that needs the primary's position waits as long as a write while there is no primary.
    /// </summary>
    /// <value>Default 10 s for routes that only the primary serves, else 2 s; 0 to 10 min.</value>
    public TimeSpan? Wait { get; set; }

    /// <summary>Operations that may wait for a host at once; one more fails at once, as it would anyhow after <see cref="Wait"/>.</summary>
    /// <value>Default 1000; 0 to 1,000,000.</value>
    public int? MaxWaiting { get; set; }

    /// <summary>
    /// Whether <c>ExecuteAsync</c> gives a read that is slower than 97 of 100 a second run on another replica, and a third where that is slow as well, and
    /// takes the first answer. The other runs are cancelled. They take less than a twentieth of the time of all reads, and never the primary's. Only for
    /// work that may run several times at once.
    /// </summary>
    /// <value>Default false. Of no effect on routes that may write.</value>
    public bool AllowHedging { get; set; }

    /// <summary>What reads of this route may miss where the call doesn't say.</summary>
    /// <value>Default <see cref="ReplicaRouter.Consistency.Session"/>: what their session has written or read they see; outside a session it has no effect.</value>
    public Consistency? Consistency { get; set; }

    /// <summary>How long a read waits for a replica to replay what its session has written or read, rather than have the primary serve it.</summary>
    /// <remarks>A replica that is known to lag by more than this is not waited for: the primary serves the read at once.</remarks>
    /// <value>Default 50 ms; for analytics and background 5 s. 0 to 1 min.</value>
    public TimeSpan? CatchUpWait { get; set; }

    /// <summary>Most connections that the route keeps to one host.</summary>
    /// <value>Default: the connection string's, else write and transactional 20, read and named routes 30, analytics and background 10; at least 1.</value>
    public int? MaxPoolSize { get; set; }

    /// <summary>Connections that the route keeps open to one host even when idle.</summary>
    /// <value>Default: the connection string's, else 0; at most <see cref="MaxPoolSize"/>.</value>
    public int? MinPoolSize { get; set; }

    /// <summary>Time to open one connection to one host.</summary>
    /// <value>Default: the connection string's, else 5 s; 1 s to 5 min, in whole seconds.</value>
    public TimeSpan? ConnectTimeout { get; set; }

    /// <summary>Time that a command may run.</summary>
    /// <value>Default: the connection string's, else 30 s, for analytics 5 min; 1 s to 1 day, in whole seconds.</value>
    public TimeSpan? CommandTimeout { get; set; }
}
