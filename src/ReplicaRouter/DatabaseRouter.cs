using System.Diagnostics.Metrics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ReplicaRouter;

/// <summary>Gives each operation a connection to the right server: the primary, or the best replica for that work.</summary>
/// <remarks>
/// Thread-safe. Create one for an application and dispose it at its end. All members that do something can be substituted in unit tests.
/// What a call throws derives from <see cref="System.Data.Common.DbException"/>, or is a bad argument, a cancellation, the call's deadline, or a use after disposal.
/// </remarks>
public abstract class DatabaseRouter : IAsyncDisposable, IDisposable
{
    /// <summary>
    /// Creates a router from <c>DATABASE_URL</c>, <c>DATABASE_READ_REPLICA_*_URL</c> and <c>ReplicaRouter__*</c> variables, and from a
    /// <c>.env</c> file in the working directory, over which real variables win. Does not wait for any server.
    /// </summary>
    /// <param name="loggerFactory">Where to log; <see langword="null"/> logs nothing.</param>
    /// <exception cref="DatabaseRouterConfigurationException">A value is missing or wrong; all faults are in the message.</exception>
    public static DatabaseRouter FromEnvironment(ILoggerFactory? loggerFactory = null)
    {
        var options = new DatabaseRouterOptions();
        OptionsLoader.Load(options, new ConfigurationBuilder().AddDotEnv().AddEnvironmentVariables().Build());
        return Create(options, loggerFactory);
    }

    /// <summary>Creates a router from options. Does not wait for any server.</summary>
    /// <param name="options">Read once; <see cref="Reload"/> has changed ones take effect.</param>
    /// <param name="loggerFactory">Where to log; <see langword="null"/> logs nothing.</param>
    /// <param name="meterFactory">Makes the router's meter; <see langword="null"/> makes one that is the router's own.</param>
    /// <exception cref="DatabaseRouterConfigurationException">An option is missing or wrong; all faults are in the message.</exception>
    public static DatabaseRouter Create(DatabaseRouterOptions options, ILoggerFactory? loggerFactory = null, IMeterFactory? meterFactory = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new ClusterRouter(RouterConfigurationBuilder.Build(options), loggerFactory, options.TimeProvider, meterFactory: meterFactory);
    }

    /// <summary>
    /// Creates a router that sends everything to one server, for tests against a database of any kind: a container, a service of CI, Windows or macOS. It asks the server
    /// nothing by itself. All that a router does for its callers works: operations, transactions and their retries, sessions, data sources.
    /// </summary>
    /// <remarks>Reads are not kept from writing. To test failovers, replication lag or faults, start a <c>LocalCluster</c> of <c>ReplicaRouter.Testing</c>.</remarks>
    /// <param name="dataSource">The server's data source. It stays the caller's, who disposes it after the router.</param>
    public static DatabaseRouter ForSingleServer(NpgsqlDataSource dataSource)
    {
        ArgumentNullException.ThrowIfNull(dataSource);
        return SingleServer.RouterFor(dataSource);
    }

    /// <summary>Picks a host now and returns the data source of its pool for the route.</summary>
    /// <remarks>
    /// Allocates nothing after the first use of each pool. Before the first probes are done it waits for them: 1.5 s at most by default. Ask anew for each use:
    /// what is returned is closed when its host has been removed or connected to in another way for <see cref="DatabaseRouterOptions.DrainTimeout"/>.
    /// </remarks>
    /// <param name="route">An operation or the name of a route.</param>
    /// <param name="options">What the call asks for beyond its route.</param>
    /// <exception cref="NoEligibleHostException">No host may serve the route at this moment.</exception>
    public abstract NpgsqlDataSource GetClient(DatabaseRoute route, OperationOptions? options = null);

    /// <summary>Picks a host and opens a connection to it; when the host fails, another one.</summary>
    /// <returns>The connection, open. Dispose it to return it to its pool.</returns>
    /// <param name="route">An operation or the name of a route.</param>
    /// <param name="options">What the call asks for beyond its route.</param>
    /// <param name="cancellationToken">Cancels waiting and opening.</param>
    /// <exception cref="ArgumentException">There is no route of that name, or an option is out of range.</exception>
    /// <exception cref="NoEligibleHostException">No host may serve the route, and none came within the route's wait.</exception>
    /// <exception cref="DatabaseRouterConfigurationException">Every host refuses our credentials, database or TLS settings, or belongs to another cluster.</exception>
    /// <exception cref="TimeoutException">The call's deadline passed.</exception>
    public abstract ValueTask<NpgsqlConnection> OpenConnectionAsync(DatabaseRoute route, OperationOptions? options = null, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="OpenConnectionAsync(DatabaseRoute, OperationOptions?, CancellationToken)"/>
    public ValueTask<NpgsqlConnection> OpenConnectionAsync(DatabaseRoute route, CancellationToken cancellationToken) => OpenConnectionAsync(route, null, cancellationToken);

    /// <inheritdoc cref="OpenConnectionAsync(DatabaseRoute, OperationOptions?, CancellationToken)"/>
    public abstract NpgsqlConnection OpenConnection(DatabaseRoute route, OperationOptions? options = null);

    /// <summary>
    /// Runs work on the right host. On a read-only route it is run again on another host when its host failed it; on a writable route only when it
    /// provably did nothing: the connection could not be opened, or the server refused the very first command (57P01, 57P03, 25006).
    /// </summary>
    /// <remarks>
    /// A command that commits more than once by itself, as CALL of a procedure with COMMIT, can have done something when it is refused: give it
    /// <see cref="OperationOptions.AllowRetry"/> false.
    /// </remarks>
    /// <param name="route">What kind of work it is: an operation or the name of a route.</param>
    /// <param name="work">The work. On a read-only route it may run more than once, also while a run on a host that hangs has not ended yet. Its token is valid until it has ended.</param>
    /// <param name="options">What the call asks for beyond its route.</param>
    /// <param name="cancellationToken">Cancels waiting, opening and the work.</param>
    /// <inheritdoc cref="OpenConnectionAsync(DatabaseRoute, OperationOptions?, CancellationToken)" path="/exception"/>
    /// <exception cref="TransactionOutcomeUnknownException">On a writable route, the connection was lost with something sent and not answered.</exception>
    public abstract Task<T> ExecuteAsync<T>(DatabaseRoute route, Func<NpgsqlConnection, CancellationToken, Task<T>> work, OperationOptions? options = null, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="ExecuteAsync{T}(DatabaseRoute, Func{NpgsqlConnection, CancellationToken, Task{T}}, OperationOptions?, CancellationToken)"/>
    public Task<T> ExecuteAsync<T>(DatabaseRoute route, Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken) => ExecuteAsync(route, work, null, cancellationToken);

    /// <summary>The same, with a state that the work is given: a static lambda needs no closure, which saves the allocations of one.</summary>
    /// <param name="route">What kind of work it is: an operation or the name of a route.</param>
    /// <param name="work">The work. On a read-only route it may run more than once.</param>
    /// <param name="state">What the work is given at each run.</param>
    /// <param name="options">What the call asks for beyond its route.</param>
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
    /// Runs work on the right host and blocks the thread meanwhile. It is run again as by <c>ExecuteAsync</c>, but not moved off a host that hangs: its commands end by their own time-outs.
    /// </summary>
    /// <param name="route">What kind of work it is: an operation or the name of a route.</param>
    /// <param name="work">The work. On a read-only route it may run more than once.</param>
    /// <param name="options">What the call asks for beyond its route. A deadline ends the waits for a host and for a connection, and no work is begun again after it; it does not end the work.</param>
    /// <inheritdoc cref="ExecuteAsync{T}(DatabaseRoute, Func{NpgsqlConnection, CancellationToken, Task{T}}, OperationOptions?, CancellationToken)" path="/remarks | /exception"/>
    public abstract T Execute<T>(DatabaseRoute route, Func<NpgsqlConnection, T> work, OperationOptions? options = null);

    /// <inheritdoc cref="Execute{T}(DatabaseRoute, Func{NpgsqlConnection, T}, OperationOptions?)"/>
    /// <inheritdoc cref="ExecuteAsync{TState, T}(DatabaseRoute, Func{NpgsqlConnection, TState, CancellationToken, Task{T}}, TState, OperationOptions?, CancellationToken)" path="/param[@name='state']"/>
    public virtual T Execute<TState, T>(DatabaseRoute route, Func<NpgsqlConnection, TState, T> work, TState state, OperationOptions? options = null) =>
        Execute(route, connection => work(connection, state), options);

    /// <inheritdoc cref="Execute{T}(DatabaseRoute, Func{NpgsqlConnection, T}, OperationOptions?)"/>
    public abstract void Execute(DatabaseRoute route, Action<NpgsqlConnection> work, OperationOptions? options = null);

    /// <summary>
    /// Runs work in a transaction on the primary and commits it. When the server rolls it back because of other transactions
    /// (40001 serialization failure, 40P01 deadlock), the work is run again in a new transaction, up to 5 times, with backoff.
    /// </summary>
    /// <param name="work">The work; <c>transaction.Connection</c> is its connection. It may run more than once.</param>
    /// <param name="options">The isolation level, the session, the deadline for all runs together, and whether it may run more than once.</param>
    /// <param name="cancellationToken">Cancels waiting, opening and the work; not a COMMIT under way.</param>
    /// <exception cref="NoEligibleHostException">No primary may serve, and none came within the route's wait.</exception>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    /// <exception cref="TimeoutException">The call's deadline passed.</exception>
    /// <exception cref="PostgresException">25P02: the work swallowed the error of a statement, so that there is nothing to commit; or an error of the work.</exception>
    /// <exception cref="TransactionOutcomeUnknownException">The connection was lost while COMMIT was under way.</exception>
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

    /// <summary>A data source that routes anew at every open, for Dapper, EF Core, health checks and whatever else takes one.</summary>
    /// <remarks>
    /// A connection that it creates unopened leads, each time that it is opened, to a host that may serve at that moment; within a session, a read's leads to
    /// the host that was picked at its creation. To wait for a host, or for another try where one fails, open connections by the data source.
    /// </remarks>
    /// <param name="route">An operation or the name of a route.</param>
    /// <param name="options">What the call asks for beyond its route.</param>
    /// <exception cref="ArgumentException">There is no route of that name.</exception>
    public abstract RoutedDataSource GetDataSource(DatabaseRoute route, OperationOptions? options = null);

    /// <summary>A router of the same cluster whose connections lead to another database, for applications that keep a database for each tenant.</summary>
    /// <remarks>
    /// It shares everything with this router but the pools: hosts, probes and what they learn, sessions, budgets, metrics. So thousands of them cost little. A database that is not used
    /// for 10 s keeps no connections, and after a minute no pools: what <see cref="GetClient"/> gave can't be used any more then, and is to be asked for again. Connections log in as the
    /// connection strings say. It is kept as long as this router, and disposed of with it; disposing of it alone does nothing.
    /// </remarks>
    /// <param name="database">The database's name, 1 to 63 bytes.</param>
    /// <returns>The same router each time. For the database of the connection strings, this router.</returns>
    /// <exception cref="ArgumentException">It is no database's name.</exception>
    /// <exception cref="NotSupportedException">This router is one of <see cref="ForSingleServer"/>.</exception>
    public abstract DatabaseRouter ForDatabase(string database);

    /// <summary>
    /// Begins a session that covers the calling code and all that it starts, until the session is disposed: its reads see its own writes and
    /// never go back in time. Inside another session of this router it continues that one.
    /// </summary>
    /// <param name="token">What <see cref="DatabaseSession.GetTokenAsync"/> gave, in this process or another; <see langword="null"/> or empty for none.
    /// A damaged, forged or foreign one is ignored and counted.</param>
    public abstract DatabaseSession BeginSession(string? token = null);

    /// <summary>Creates a session that covers only the operations to which it is given as <see cref="OperationOptions.Session"/>.</summary>
    /// <inheritdoc cref="BeginSession" path="/param"/>
    public abstract DatabaseSession CreateSession(string? token = null);

    /// <summary>The session that covers the calling code; <see langword="null"/> outside of any.</summary>
    /// <remarks>For what sends a job or message on behalf of its caller, and has its token travel along.</remarks>
    public abstract DatabaseSession? CurrentSession { get; }

    /// <summary>
    /// States what the calling code, and all that it starts, is about to do, until the scope is disposed: whatever routes by itself goes there, as
    /// queries of Entity Framework Core and connections of an endpoint. Writes go to the primary all the same. The innermost scope counts.
    /// </summary>
    /// <param name="route">An operation or the name of a route.</param>
    /// <returns>Dispose it to end the scope.</returns>
    /// <exception cref="ArgumentException">There is no route of that name.</exception>
    public abstract IDisposable BeginRoute(DatabaseRoute route);

    /// <summary>What was routed where so far.</summary>
    public abstract DatabaseRouterMetrics GetMetrics();

    /// <summary>How every configured host stands, by host name.</summary>
    public abstract IReadOnlyDictionary<string, HostHealth> GetHealthStatus();

    /// <summary>Sends all reads to the primary for a while; then health checks decide again. Reads under way finish where they are.</summary>
    /// <remarks>Called again meanwhile, it starts the time from the beginning. If the primary is lost meanwhile, replicas serve again.</remarks>
    /// <exception cref="NoEligibleHostException">There is no primary to force reads to.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The duration is zero or less.</exception>
    /// <param name="duration">How long, above zero; <see langword="null"/> takes <see cref="DatabaseRouterOptions.ForcedFailoverDuration"/>, 5 s by default.</param>
    /// <param name="cancellationToken">Cancels waiting for the first probes.</param>
    public abstract Task ForceFailoverToPrimaryAsync(TimeSpan? duration = null, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="ForceFailoverToPrimaryAsync(TimeSpan?, CancellationToken)"/>
    public Task ForceFailoverToPrimaryAsync(CancellationToken cancellationToken) => ForceFailoverToPrimaryAsync(null, cancellationToken);

    /// <summary>Gives a host no new work, and waits until its connections in use are returned or <see cref="DatabaseRouterOptions.DrainTimeout"/> has passed.</summary>
    /// <param name="host">The host's name.</param>
    /// <param name="cancellationToken">Cancels the waiting; the host stays drained.</param>
    /// <exception cref="ArgumentException">There is no host of that name.</exception>
    public abstract Task DrainAsync(string host, CancellationToken cancellationToken = default);

    /// <summary>Lets a drained host serve again.</summary>
    /// <inheritdoc cref="DrainAsync" path="/param | /exception" />
    public abstract Task RestoreAsync(string host, CancellationToken cancellationToken = default);

    /// <summary>What <see cref="AcceptAsync"/> would change, by what is known now. Changes nothing.</summary>
    /// <param name="host">The host's name.</param>
    /// <exception cref="ArgumentException">There is no host of that name.</exception>
    /// <exception cref="InvalidOperationException">The host does not answer: what it is can't be told.</exception>
    public abstract HostAcceptance PreviewAccept(string host);

    /// <summary>
    /// Makes what a host shows now, its system identifier and its timeline, the cluster's, whatever other hosts show: for when a standby was promoted by mistake, or the cluster was
    /// replaced. Servers of other identities, and servers on later timelines, get no traffic for as long as they show the same. Writes that only they hold are given up.
    /// </summary>
    /// <remarks>For this process alone: each application process is ordered by itself. A promotion that follows is followed as ever.</remarks>
    /// <param name="host">The host's name.</param>
    /// <param name="cancellationToken">Cancels nothing that has taken effect.</param>
    /// <returns>What it changed.</returns>
    /// <inheritdoc cref="PreviewAccept" path="/exception"/>
    public abstract Task<HostAcceptance> AcceptAsync(string host, CancellationToken cancellationToken = default);

    /// <summary>
    /// Has the hosts of changed options take effect, without a restart: hosts that are new are probed and then get work little by little; those that are gone get no
    /// new work, and what is in use there has <see cref="DatabaseRouterOptions.DrainTimeout"/> to finish; groups, labels and weights hold from now on; where a
    /// connection string has changed, new connections are made by it once the server lets them in. Names tell which host is which.
    /// </summary>
    /// <remarks>Everything else takes effect at the next start, and the log says so. With <c>AddReplicaRouter</c> a changed configuration is reloaded by itself.</remarks>
    /// <param name="options">All options, as for <see cref="Create"/>.</param>
    /// <exception cref="DatabaseRouterConfigurationException">An option is missing or wrong; all faults are in the message. Nothing has changed.</exception>
    public abstract void Reload(DatabaseRouterOptions options);

    /// <summary>Waits until the first probes are done and some host can serve. Never required: operations wait by themselves.</summary>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="DatabaseRouterConfigurationException">A probe found what no waiting mends: refused credentials, an unknown database or host name,
    /// a server of another cluster, two names for one server, or standbys only.</exception>
    /// <exception cref="OperationCanceledException">The waiting was ended. The inner exception tells of every host why it can't serve.</exception>
    public abstract Task WaitUntilReadyAsync(CancellationToken cancellationToken = default);

    /// <summary>Stops watching and closes all pools. Connections in use are closed when they are returned.</summary>
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

    /// <summary>Does what <see cref="DisposeAsync"/> says. Called again, it does nothing.</summary>
    protected abstract ValueTask DisposeCoreAsync();

    /// <summary>The router that its sessions and stated routes are of; itself, unless it is that of a further database.</summary>
    internal virtual DatabaseRouter Cluster => this;

    /// <summary>Its name among the application's routers; null for the one without.</summary>
    internal virtual string? Name => null;

    /// <summary>The router itself, for the packages that add to it.</summary>
    /// <exception cref="NotSupportedException">It is a substitute.</exception>
    internal virtual ClusterRouter Engine => throw new NotSupportedException(
        "This DatabaseRouter is a substitute, which Entity Framework Core, ASP.NET Core and the health checks can't use. Give them one that DatabaseRouter.Create or DatabaseRouter.ForSingleServer made.");

    internal virtual Task WaitUntilReadyAsync(TimeSpan timeout, CancellationToken cancellationToken = default) => Engine.WaitUntilReadyAsync(timeout, cancellationToken);
}
