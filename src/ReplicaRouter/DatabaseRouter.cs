using System.Diagnostics.Metrics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ReplicaRouter;

/// <summary>Routes each operation to the right server: the primary, or the best replica for the work.</summary>
/// <remarks>
/// Thread-safe. Create one per application, and dispose it when the application ends. Unit tests can substitute all members that do work.
/// Exceptions derive from <see cref="System.Data.Common.DbException"/>, except for invalid arguments, cancellation, the call's deadline, and use after disposal.
/// </remarks>
public abstract class DatabaseRouter : IAsyncDisposable, IDisposable
{
    /// <summary>
    /// Creates a router from <c>DATABASE_URL</c>, <c>DATABASE_READ_REPLICA_*_URL</c> and <c>ReplicaRouter__*</c> variables, and from a
    /// <c>.env</c> file in the working directory. Real variables override the file. Does not wait for any server.
    /// </summary>
    /// <param name="loggerFactory">Where to log; <see langword="null"/> logs nothing.</param>
    /// <exception cref="DatabaseRouterConfigurationException">A value is missing or invalid. The message lists all faults.</exception>
    public static DatabaseRouter FromEnvironment(ILoggerFactory? loggerFactory = null)
    {
        var options = new DatabaseRouterOptions();
        OptionsLoader.Load(options, new ConfigurationBuilder().AddDotEnv().AddEnvironmentVariables().Build());
        return Create(options, loggerFactory);
    }

    /// <summary>Creates a router from options. Does not wait for any server.</summary>
    /// <param name="options">Read once; <see cref="Reload"/> applies changed options.</param>
    /// <param name="loggerFactory">Where to log; <see langword="null"/> logs nothing.</param>
    /// <param name="meterFactory">Creates the router's meter; with <see langword="null"/> the router creates its own.</param>
    /// <exception cref="DatabaseRouterConfigurationException">An option is missing or invalid. The message lists all faults.</exception>
    public static DatabaseRouter Create(DatabaseRouterOptions options, ILoggerFactory? loggerFactory = null, IMeterFactory? meterFactory = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new ClusterRouter(RouterConfigurationBuilder.Build(options), loggerFactory, options.TimeProvider, meterFactory: meterFactory);
    }

    /// <summary>
    /// Creates a router that sends everything to one server, for tests against any database: in a container, as a CI service, on Windows or macOS. It does not probe the
    /// server. All features for callers work: operations, transactions and their retries, sessions, data sources.
    /// </summary>
    /// <remarks>Read-only routes can write here. To test failovers, replication lag or faults, start a <c>LocalCluster</c> of <c>ReplicaRouter.Testing</c>.</remarks>
    /// <param name="dataSource">The server's data source. The caller owns it, and disposes it after the router.</param>
    public static DatabaseRouter ForSingleServer(NpgsqlDataSource dataSource)
    {
        ArgumentNullException.ThrowIfNull(dataSource);
        return SingleServer.RouterFor(dataSource);
    }

    /// <summary>Chooses a host and returns the data source of its pool for the route.</summary>
    /// <remarks>
    /// Allocates nothing after the first use of each pool. Before the first probes are done, it waits for them: at most 1.5 s by default. Call it for each use: the
    /// data source is closed <see cref="DatabaseRouterOptions.DrainTimeout"/> after its host is removed or its connection settings change.
    /// </remarks>
    /// <param name="route">An operation or the name of a route.</param>
    /// <param name="options">Options of this call.</param>
    /// <exception cref="NoEligibleHostException">No host can serve the route now.</exception>
    public abstract NpgsqlDataSource GetClient(DatabaseRoute route, OperationOptions? options = null);

    /// <summary>Opens a connection to a suitable host. If that host fails, tries another one.</summary>
    /// <returns>An open connection. Dispose it to return it to its pool.</returns>
    /// <param name="route">An operation or the name of a route.</param>
    /// <param name="options">Options of this call.</param>
    /// <param name="cancellationToken">Cancels waiting and opening.</param>
    /// <exception cref="ArgumentException">No route has that name, or an option is out of range.</exception>
    /// <exception cref="NoEligibleHostException">No host can serve the route, and none became eligible within the route's wait.</exception>
    /// <exception cref="DatabaseRouterConfigurationException">Every host refuses the router's credentials, database or TLS settings, or belongs to another cluster.</exception>
    /// <exception cref="TimeoutException">The call's deadline passed.</exception>
    public abstract ValueTask<NpgsqlConnection> OpenConnectionAsync(DatabaseRoute route, OperationOptions? options = null, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="OpenConnectionAsync(DatabaseRoute, OperationOptions?, CancellationToken)"/>
    public ValueTask<NpgsqlConnection> OpenConnectionAsync(DatabaseRoute route, CancellationToken cancellationToken) => OpenConnectionAsync(route, null, cancellationToken);

    /// <inheritdoc cref="OpenConnectionAsync(DatabaseRoute, OperationOptions?, CancellationToken)"/>
    public abstract NpgsqlConnection OpenConnection(DatabaseRoute route, OperationOptions? options = null);

    /// <summary>
    /// Runs work on the right host. On a read-only route, retries it on another host when its host fails. On a writable route, retries it only when it
    /// provably did nothing: the connection could not be opened, or the server refused the very first command (57P01, 57P03, 25006).
    /// </summary>
    /// <remarks>
    /// A command that commits several times, such as CALL of a procedure with COMMIT, can have committed something before it is refused. Set
    /// <see cref="OperationOptions.AllowRetry"/> to false for it.
    /// </remarks>
    /// <param name="route">The kind of work: an operation or the name of a route.</param>
    /// <param name="work">The work. On a read-only route it can run several times, even while an attempt on a hung host is still running. Its token is valid until
    /// the work ends.</param>
    /// <param name="options">Options of this call.</param>
    /// <param name="cancellationToken">Cancels waiting, opening and the work.</param>
    /// <inheritdoc cref="OpenConnectionAsync(DatabaseRoute, OperationOptions?, CancellationToken)" path="/exception"/>
    /// <exception cref="TransactionOutcomeUnknownException">On a writable route, the connection was lost after a command was sent and before its answer.</exception>
    public abstract Task<T> ExecuteAsync<T>(DatabaseRoute route, Func<NpgsqlConnection, CancellationToken, Task<T>> work, OperationOptions? options = null, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="ExecuteAsync{T}(DatabaseRoute, Func{NpgsqlConnection, CancellationToken, Task{T}}, OperationOptions?, CancellationToken)"/>
    public Task<T> ExecuteAsync<T>(DatabaseRoute route, Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken) => ExecuteAsync(route, work, null, cancellationToken);

    /// <summary>Runs work like the overload without a state, and passes it the state. A static lambda then allocates no closure.</summary>
    /// <param name="route">The kind of work: an operation or the name of a route.</param>
    /// <param name="work">The work. On a read-only route it can run several times.</param>
    /// <param name="state">The state that each attempt gets.</param>
    /// <param name="options">Options of this call.</param>
    /// <param name="cancellationToken">Cancels waiting, opening and the work.</param>
    /// <inheritdoc cref="ExecuteAsync{T}(DatabaseRoute, Func{NpgsqlConnection, CancellationToken, Task{T}}, OperationOptions?, CancellationToken)" path="/remarks | /exception"/>
    public virtual Task<T> ExecuteAsync<TState, T>(
        DatabaseRoute route, Func<NpgsqlConnection, TState, CancellationToken, Task<T>> work, TState state, OperationOptions? options = null, CancellationToken cancellationToken = default) =>
        ExecuteAsync(route, (connection, ct) => work(connection, state, ct), options, cancellationToken);

    /// <inheritdoc cref="ExecuteAsync{TState, T}(DatabaseRoute, Func{NpgsqlConnection, TState, CancellationToken, Task{T}}, TState, OperationOptions?, CancellationToken)"/>
    public virtual Task ExecuteAsync<TState>(
        DatabaseRoute route, Func<NpgsqlConnection, TState, CancellationToken, Task> work, TState state, OperationOptions? options = null, CancellationToken cancellationToken = default) =>
        ExecuteAsync(route, (connection, ct) => work(connection, state, ct), options, cancellationToken);

    /// <inheritdoc cref="ExecuteAsync{T}(DatabaseRoute, Func{NpgsqlConnection, CancellationToken, Task{T}}, OperationOptions?, CancellationToken)"/>
    public abstract Task ExecuteAsync(DatabaseRoute route, Func<NpgsqlConnection, CancellationToken, Task> work, OperationOptions? options = null, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="ExecuteAsync{T}(DatabaseRoute, Func{NpgsqlConnection, CancellationToken, Task{T}}, OperationOptions?, CancellationToken)"/>
    public Task ExecuteAsync(DatabaseRoute route, Func<NpgsqlConnection, CancellationToken, Task> work, CancellationToken cancellationToken) => ExecuteAsync(route, work, null, cancellationToken);

    /// <summary>
    /// Runs work on the right host and blocks the thread. Retries it as <c>ExecuteAsync</c> does, but does not move it off a hung host: its commands end by their own time-outs.
    /// </summary>
    /// <param name="route">The kind of work: an operation or the name of a route.</param>
    /// <param name="work">The work. On a read-only route it can run several times.</param>
    /// <param name="options">Options of this call. A deadline ends the waits for a host and for a connection, and no retry starts after it. It does not end the work.</param>
    /// <inheritdoc cref="ExecuteAsync{T}(DatabaseRoute, Func{NpgsqlConnection, CancellationToken, Task{T}}, OperationOptions?, CancellationToken)" path="/remarks | /exception"/>
    public abstract T Execute<T>(DatabaseRoute route, Func<NpgsqlConnection, T> work, OperationOptions? options = null);

    /// <inheritdoc cref="Execute{T}(DatabaseRoute, Func{NpgsqlConnection, T}, OperationOptions?)"/>
    /// <inheritdoc cref="ExecuteAsync{TState, T}(DatabaseRoute, Func{NpgsqlConnection, TState, CancellationToken, Task{T}}, TState, OperationOptions?, CancellationToken)" path="/param[@name='state']"/>
    public virtual T Execute<TState, T>(DatabaseRoute route, Func<NpgsqlConnection, TState, T> work, TState state, OperationOptions? options = null) =>
        Execute(route, connection => work(connection, state), options);

    /// <inheritdoc cref="Execute{T}(DatabaseRoute, Func{NpgsqlConnection, T}, OperationOptions?)"/>
    public abstract void Execute(DatabaseRoute route, Action<NpgsqlConnection> work, OperationOptions? options = null);

    /// <summary>
    /// Runs work in a transaction on the primary and commits it. On a serialization failure or deadlock (40001, 40P01), retries the work in a new
    /// transaction, up to 5 times, with backoff.
    /// </summary>
    /// <param name="work">The work; <c>transaction.Connection</c> is its connection. It can run several times.</param>
    /// <param name="options">The isolation level, the session, the deadline for all attempts together, and whether retries are allowed.</param>
    /// <param name="cancellationToken">Cancels waiting, opening and the work, but not a COMMIT in progress.</param>
    /// <exception cref="NoEligibleHostException">No primary can serve, and none became eligible within the route's wait.</exception>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    /// <exception cref="TimeoutException">The call's deadline passed.</exception>
    /// <exception cref="PostgresException">An error of the work; or 25P02: the work swallowed the error of a statement, and there is nothing to commit.</exception>
    /// <exception cref="TransactionOutcomeUnknownException">The connection was lost during COMMIT.</exception>
    public abstract Task<T> WithTransactionAsync<T>(Func<NpgsqlTransaction, CancellationToken, Task<T>> work, OperationOptions? options = null, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="WithTransactionAsync{T}(Func{NpgsqlTransaction, CancellationToken, Task{T}}, OperationOptions?, CancellationToken)"/>
    public Task<T> WithTransactionAsync<T>(Func<NpgsqlTransaction, CancellationToken, Task<T>> work, CancellationToken cancellationToken) => WithTransactionAsync(work, null, cancellationToken);

    /// <inheritdoc cref="WithTransactionAsync{T}(Func{NpgsqlTransaction, CancellationToken, Task{T}}, OperationOptions?, CancellationToken)"/>
    /// <inheritdoc cref="ExecuteAsync{TState, T}(DatabaseRoute, Func{NpgsqlConnection, TState, CancellationToken, Task{T}}, TState, OperationOptions?, CancellationToken)" path="/param[@name='state']"/>
    public virtual Task<T> WithTransactionAsync<TState, T>(
        Func<NpgsqlTransaction, TState, CancellationToken, Task<T>> work, TState state, OperationOptions? options = null, CancellationToken cancellationToken = default) =>
        WithTransactionAsync((transaction, ct) => work(transaction, state, ct), options, cancellationToken);

    /// <inheritdoc cref="WithTransactionAsync{TState, T}(Func{NpgsqlTransaction, TState, CancellationToken, Task{T}}, TState, OperationOptions?, CancellationToken)"/>
    public virtual Task WithTransactionAsync<TState>(
        Func<NpgsqlTransaction, TState, CancellationToken, Task> work, TState state, OperationOptions? options = null, CancellationToken cancellationToken = default) =>
        WithTransactionAsync((transaction, ct) => work(transaction, state, ct), options, cancellationToken);

    /// <inheritdoc cref="WithTransactionAsync{T}(Func{NpgsqlTransaction, CancellationToken, Task{T}}, OperationOptions?, CancellationToken)"/>
    public abstract Task WithTransactionAsync(Func<NpgsqlTransaction, CancellationToken, Task> work, OperationOptions? options = null, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="WithTransactionAsync{T}(Func{NpgsqlTransaction, CancellationToken, Task{T}}, OperationOptions?, CancellationToken)"/>
    public Task WithTransactionAsync(Func<NpgsqlTransaction, CancellationToken, Task> work, CancellationToken cancellationToken) => WithTransactionAsync(work, null, cancellationToken);

    /// <summary>Returns a data source that chooses a host at every open, for Dapper, EF Core, health checks and other libraries that take one.</summary>
    /// <remarks>
    /// A connection from <c>CreateConnection</c> connects to an eligible host each time it is opened. A read connection of a session always connects to the
    /// host that was chosen when it was created. To wait for a host, and for a retry on another one, use the data source's <c>OpenConnectionAsync</c>.
    /// </remarks>
    /// <param name="route">An operation or the name of a route.</param>
    /// <param name="options">Options of this call.</param>
    /// <exception cref="ArgumentException">No route has that name.</exception>
    public abstract RoutedDataSource GetDataSource(DatabaseRoute route, OperationOptions? options = null);

    /// <summary>Returns a router of the same cluster that connects to another database, for applications with one database per tenant.</summary>
    /// <remarks>
    /// It shares everything with this router except the pools: hosts, probes and their results, sessions, budgets, metrics. Thousands of such routers cost little.
    /// After 10 s without use, a database's connections are closed, and after a minute its pools: a data source from <see cref="GetClient"/> is then unusable, so
    /// call that again. Connections use the credentials of the connection strings. The router lives as long as this router and is disposed with it; disposing it
    /// alone does nothing.
    /// </remarks>
    /// <param name="database">The database's name, 1 to 63 bytes.</param>
    /// <returns>The same router each time. For the database of the connection strings, this router.</returns>
    /// <exception cref="ArgumentException">The name is empty, too long, or contains a zero byte.</exception>
    /// <exception cref="NotSupportedException">This router is from <see cref="ForSingleServer"/>.</exception>
    public abstract DatabaseRouter ForDatabase(string database);

    /// <summary>
    /// Begins a session that covers the calling code and everything that it starts, until the session is disposed. Its reads see its own writes and
    /// never go back in time. Inside another session of this router, it continues that session.
    /// </summary>
    /// <param name="token">A token from <see cref="DatabaseSession.GetTokenAsync"/> of this or another process; <see langword="null"/> or empty for none.
    /// A damaged, forged or foreign token is ignored and counted.</param>
    public abstract DatabaseSession BeginSession(string? token = null);

    /// <summary>Creates a session that covers only operations whose <see cref="OperationOptions.Session"/> is this session.</summary>
    /// <inheritdoc cref="BeginSession" path="/param"/>
    public abstract DatabaseSession CreateSession(string? token = null);

    /// <summary>The session that covers the calling code; <see langword="null"/> outside of any session.</summary>
    /// <remarks>For code that sends a job or message on behalf of its caller, together with the session token.</remarks>
    public abstract DatabaseSession? CurrentSession { get; }

    /// <summary>
    /// States the route of the calling code and everything that it starts, until the scope is disposed. It applies to automatic routing, such as
    /// that of Entity Framework Core queries and endpoint connections. Writes still go to the primary. The innermost scope wins.
    /// </summary>
    /// <param name="route">An operation or the name of a route.</param>
    /// <returns>The scope. Dispose it to end it.</returns>
    /// <exception cref="ArgumentException">No route has that name.</exception>
    public abstract IDisposable BeginRoute(DatabaseRoute route);

    /// <summary>Returns the counters of this router.</summary>
    public abstract DatabaseRouterMetrics GetMetrics();

    /// <summary>Returns the health of every host, by host name.</summary>
    public abstract IReadOnlyDictionary<string, HostHealth> GetHealthStatus();

    /// <summary>Sends all reads to the primary for a limited time. Reads in progress finish on their hosts.</summary>
    /// <remarks>Another call restarts the time. If the primary is lost in that time, replicas serve reads again.</remarks>
    /// <exception cref="NoEligibleHostException">There is no primary.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The duration is zero or less.</exception>
    /// <param name="duration">The time, above zero; <see langword="null"/> uses <see cref="DatabaseRouterOptions.ForcedFailoverDuration"/>, 5 s by default.</param>
    /// <param name="cancellationToken">Cancels waiting for the first probes.</param>
    public abstract Task ForceFailoverToPrimaryAsync(TimeSpan? duration = null, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="ForceFailoverToPrimaryAsync(TimeSpan?, CancellationToken)"/>
    public Task ForceFailoverToPrimaryAsync(CancellationToken cancellationToken) => ForceFailoverToPrimaryAsync(null, cancellationToken);

    /// <summary>Drains a host: sends it no new work, and waits until its connections in use are returned or <see cref="DatabaseRouterOptions.DrainTimeout"/> has passed.</summary>
    /// <param name="host">The host's name.</param>
    /// <param name="cancellationToken">Cancels the wait; the host stays drained.</param>
    /// <exception cref="ArgumentException">No host has that name.</exception>
    public abstract Task DrainAsync(string host, CancellationToken cancellationToken = default);

    /// <summary>Lets a drained host serve again.</summary>
    /// <inheritdoc cref="DrainAsync" path="/param | /exception" />
    public abstract Task RestoreAsync(string host, CancellationToken cancellationToken = default);

    /// <summary>Returns what <see cref="AcceptAsync"/> would change now. Changes nothing.</summary>
    /// <param name="host">The host's name.</param>
    /// <exception cref="ArgumentException">No host has that name.</exception>
    /// <exception cref="InvalidOperationException">The host does not answer, so its identity is unknown.</exception>
    public abstract HostAcceptance PreviewAccept(string host);

    /// <summary>
    /// Accepts a host: its current system identifier and timeline become the cluster's, whatever other hosts report. Use it when a standby was promoted by mistake,
    /// or the cluster was replaced. Servers with another identity or on a later timeline get no traffic as long as they report the same. Writes that only they hold
    /// are abandoned.
    /// </summary>
    /// <remarks>Applies to this process only: call it in each process of the application. The router follows later promotions as usual.</remarks>
    /// <param name="host">The host's name.</param>
    /// <param name="cancellationToken">Cancels the call before it takes effect; it undoes nothing.</param>
    /// <returns>The changes.</returns>
    /// <inheritdoc cref="PreviewAccept" path="/exception"/>
    public abstract Task<HostAcceptance> AcceptAsync(string host, CancellationToken cancellationToken = default);

    /// <summary>
    /// Applies the hosts of changed options without a restart. New hosts are probed, and then get work gradually. Removed hosts get no new work; their connections
    /// in use have <see cref="DatabaseRouterOptions.DrainTimeout"/> to finish. Groups, labels and weights apply at once. A changed connection string applies to new
    /// connections once the server accepts it. Hosts are matched by name.
    /// </summary>
    /// <remarks>All other changes take effect at the next start, and a warning is logged. With <c>AddReplicaRouter</c> a changed configuration is reloaded automatically.</remarks>
    /// <param name="options">All options, as for <see cref="Create"/>.</param>
    /// <exception cref="DatabaseRouterConfigurationException">An option is missing or invalid. The message lists all faults. Nothing has changed.</exception>
    public abstract void Reload(DatabaseRouterOptions options);

    /// <summary>Waits until the first probes are done and at least one host can serve. Never required: operations wait for hosts themselves.</summary>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="DatabaseRouterConfigurationException">A probe found a fault that waiting can't fix: refused credentials, an unknown database or host name,
    /// a server of another cluster, duplicate hosts, or only standbys.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled. The inner exception says why each host can't serve.</exception>
    public abstract Task WaitUntilReadyAsync(CancellationToken cancellationToken = default);

    /// <summary>Stops all probes and closes all pools. Connections in use are closed when they are returned.</summary>
    public async ValueTask DisposeAsync()
    {
        await DisposeCoreAsync().ConfigureAwait(false);
        GC.SuppressFinalize(this);
    }

    /// <inheritdoc cref="DisposeAsync"/>
    public void Dispose()
    {
        Task.Run(async () => await DisposeCoreAsync().ConfigureAwait(false)).GetAwaiter().GetResult();
        GC.SuppressFinalize(this);
    }

    /// <summary>Disposes the router, as documented at <see cref="DisposeAsync"/>. Further calls do nothing.</summary>
    protected abstract ValueTask DisposeCoreAsync();

    /// <summary>The router that owns the sessions and stated routes: the router itself or, for a further database, that of its cluster.</summary>
    internal virtual DatabaseRouter Cluster => this;

    /// <summary>The router's name within the application; null for the unnamed router.</summary>
    internal virtual string? Name => null;

    /// <summary>The implementation, for the packages that extend the router.</summary>
    /// <exception cref="NotSupportedException">The router is a test substitute.</exception>
    internal virtual ClusterRouter Engine => throw new NotSupportedException(
        "Entity Framework Core, ASP.NET Core and the health checks can't use a test substitute. Give them a router from DatabaseRouter.Create or DatabaseRouter.ForSingleServer.");

    internal virtual Task WaitUntilReadyAsync(TimeSpan timeout, CancellationToken cancellationToken = default) => Engine.WaitUntilReadyAsync(timeout, cancellationToken);
}
