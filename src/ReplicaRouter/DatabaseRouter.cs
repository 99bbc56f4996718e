using System.Collections.Immutable;
using System.Data;
using System.Data.Common;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace ReplicaRouter;

/// <summary>Gives each operation a connection to the right server: the primary, or the best replica for that work.</summary>
/// <remarks>Thread-safe. Create one for an application and dispose it at its end.</remarks>
public sealed class DatabaseRouter : IAsyncDisposable, IDisposable
{
    private readonly RouterConfiguration _configuration;
    private readonly TimeProvider _time;
    private readonly TopologyStore _store;
    private readonly Fleet _fleet;
    private readonly LiveTopology _live;
    private readonly ImmutableArray<SourceMonitor> _sources;
    private readonly RoutingCounters _counters;
    private readonly CommandListener _listener;
    private readonly HostChooser _chooser;
    private readonly SessionTokens _tokens;
    private readonly ConnectionOpener _opener;
    private readonly OutcomeResolver _outcomes;
    private readonly Executor _executor;
    private readonly StallWatch _stalls;
    private readonly FencedWriters _fencedWriters;
    private readonly Operator _operator;
    private readonly RouterStatus _status;
    private readonly RouterMeter _meter;
    private readonly OperationTelemetry _telemetry;
    private readonly ILogger _logger;
    private IDisposable? _changes;
    private int _isDisposed;

    internal DatabaseRouter(
        RouterConfiguration configuration,
        ILoggerFactory? loggerFactory = null,
        TimeProvider? timeProvider = null,
        Random? random = null,
        Func<HostConfiguration, IHostProbe>? createProbe = null,
        IMeterFactory? meterFactory = null)
    {
        loggerFactory ??= NullLoggerFactory.Instance;
        var time = _time = timeProvider ?? TimeProvider.System;
        random ??= Random.Shared;
        createProbe ??= host => new NpgsqlHostProbe(host, configuration.Health.Timeout, time, configuration.PasswordProvider);
        var logger = _logger = loggerFactory.CreateLogger<DatabaseRouter>();

        _configuration = configuration;
        _store = new TopologyStore(TopologySnapshot.Initial(configuration), time);
        _counters = new RoutingCounters(configuration.Routes, configuration.Sources);
        _listener = new CommandListener();
        var idle = new IdleCheck(configuration.AskIdleAfter, time);
        _fleet = new Fleet(configuration, _store, _listener, createProbe, idle, loggerFactory, time, random, logger);
        foreach (var host in configuration.Hosts) _fleet.Add(host);
        _store.Changed += new TopologyWatcher(_fleet, _counters, logger).OnChanged;
        _fencedWriters = new FencedWriters(configuration, _store, _fleet, _listener, time, logger);
        _store.Changed += _fencedWriters.OnChanged;
        var sessions = new SessionWatcher(_counters, time, logger);
        var guard = new PrimaryGuard(configuration.PrimaryReads, configuration.PrimaryReadsPerSecond, time);
        _tokens = new SessionTokens(configuration, _store, _fleet, sessions, time);
        _chooser = new HostChooser(configuration, _store, _fleet, _counters, guard, sessions, time, random);
        _opener = new ConnectionOpener(configuration, _store, _chooser, _listener, guard, new PrimaryProof(configuration, _store, _fleet, time), _counters, idle, new CreatedConnections(_chooser, _store), time);
        var rules = new RetryRules(_opener, _counters, time, logger);
        _outcomes = new OutcomeResolver(configuration, _store, _opener, time);
        _executor = new Executor(_opener, rules, _outcomes, new LostAnswers(configuration, _store, time), new Hedging(configuration.Routes, _counters, PreciseTime.Of(time)), time, random);
        _operator = new Operator(configuration, _store, _fleet, _listener, _counters, time, logger);
        _status = new RouterStatus(_store, _fleet, _listener, _counters, time);
        _meter = new RouterMeter(meterFactory, configuration, _store, _fleet, _listener, _chooser, _counters, time);
        _telemetry = new OperationTelemetry(_meter.OperationDuration, time);
        _live = new LiveTopology(configuration, _fleet, _store, createProbe, new Retirement(configuration, _listener, time, logger), _counters, time, logger);
        _sources = [.. configuration.Sources.Select(source => new SourceMonitor(source, _live, _store, _fleet, configuration.Discovery, _counters, time, random, logger))];
        foreach (var host in _fleet.All) host.Monitor.Start();
        foreach (var source in _sources) source.Start();
        if (DiscoveredLogin.IsUnguarded(configuration)) Log.SourcesAreTrusted(logger, configuration.Hosts[0].Source);
        _store.Changed += OnDoubt;
        _stalls = new StallWatch(_fleet, _listener, time);
    }

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
    /// <exception cref="DatabaseRouterConfigurationException">An option is missing or wrong; all faults are in the message.</exception>
    public static DatabaseRouter Create(DatabaseRouterOptions options, ILoggerFactory? loggerFactory = null) => Create(options, loggerFactory, null);

    /// <inheritdoc cref="Create(DatabaseRouterOptions, ILoggerFactory?)"/>
    /// <param name="options">Read once; <see cref="Reload"/> has changed ones take effect.</param>
    /// <param name="loggerFactory">Where to log; <see langword="null"/> logs nothing.</param>
    /// <param name="meterFactory">Makes the router's meter; <see langword="null"/> makes one that is the router's own.</param>
    public static DatabaseRouter Create(DatabaseRouterOptions options, ILoggerFactory? loggerFactory, IMeterFactory? meterFactory)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new DatabaseRouter(RouterConfigurationBuilder.Build(options), loggerFactory, meterFactory: meterFactory);
    }

    /// <summary>
    /// Has the hosts of changed options take effect, without a restart: hosts that are new are probed and then get work little by little; those that are gone get no
    /// new work, and what is in use there has <see cref="DatabaseRouterOptions.DrainTimeout"/> to finish; groups, labels and weights hold from now on; where a
    /// connection string has changed, new connections are made by it once the server lets them in. Names tell which host is which.
    /// </summary>
    /// <remarks>
    /// Everything else in the options takes effect at the next start, and the log says so. With <c>AddReplicaRouter</c> a changed configuration is reloaded by itself.
    /// </remarks>
    /// <param name="options">All options, as for <see cref="Create(DatabaseRouterOptions, ILoggerFactory?)"/>.</param>
    /// <exception cref="DatabaseRouterConfigurationException">An option is missing or wrong; all faults are in the message. Nothing has changed.</exception>
    public void Reload(DatabaseRouterOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ThrowIfDisposed();
        var next = RouterConfigurationBuilder.Build(options);
        _live.Configure(next.Hosts);
        if (!next.EqualsBeyondHosts(_configuration)) Log.RestartNeeded(_logger);
    }

    /// <summary>The same for what is read anew by itself: nobody is there to be told but the log.</summary>
    internal void TryReload(Func<DatabaseRouterOptions> read)
    {
        try
        {
            Reload(read());
        }
        catch (ObjectDisposedException)
        {
            // The application ends.
        }
        catch (Exception e)
        {
            // What code that is not ours says of a configuration may quote its values.
            Log.ConfigurationRefused(_logger, e is DatabaseRouterConfigurationException ? e.Message : $"reading it failed with {e.GetType().Name}");
        }
    }

    /// <summary>Keeps a subscription to what tells of changes, until the router is disposed of.</summary>
    internal void Follow(IDisposable changes) => _changes = changes;

    /// <summary>Picks a host now and returns the data source of its pool for the route.</summary>
    /// <remarks>
    /// Allocates nothing after the first use of each pool. Before the first probes are done it waits for them: 1.5 s at most by default. Ask anew for each use:
    /// what is returned is closed when its host has been removed or connected to in another way for <see cref="DatabaseRouterOptions.DrainTimeout"/>.
    /// </remarks>
    /// <exception cref="NoEligibleHostException">No host may serve the route at this moment.</exception>
    public NpgsqlDataSource GetClient(DatabaseRoute route)
    {
        ThrowIfDisposed();
        var pool = DatabaseSession.Ambient(this) is null ? _chooser.TryChoosePlain(_configuration.PlanOf(route)) : null;
        return pool is not null ? pool.DataSource : GetClient(route, default);
    }

    /// <inheritdoc cref="GetClient(DatabaseRoute)"/>
    public NpgsqlDataSource GetClient(DatabaseRoute route, OperationOptions options)
    {
        ThrowIfDisposed();
        var plan = _configuration.PlanOf(route);
        var pool = SessionOf(options) is { } session ? _opener.Pick(new Attempt(plan, options, session, _time)) : _chooser.Choose(plan, options);
        return pool.DataSource;
    }

    /// <summary>Picks a host and opens a connection to it; when the host fails, another one.</summary>
    /// <returns>The connection, open. Dispose it to return it to its pool.</returns>
    /// <exception cref="NoEligibleHostException">No host may serve the route, and none came within the route's wait.</exception>
    /// <exception cref="DatabaseRouterConfigurationException">Every host refuses our credentials, database or TLS settings, or belongs to another cluster.</exception>
    /// <exception cref="TimeoutException">The call's deadline passed while a connection was opened.</exception>
    public ValueTask<NpgsqlConnection> OpenConnectionAsync(DatabaseRoute route, CancellationToken cancellationToken = default) => OpenConnectionAsync(route, null, cancellationToken);

    /// <inheritdoc cref="OpenConnectionAsync(DatabaseRoute, CancellationToken)"/>
    /// <param name="route">The route.</param>
    /// <param name="kept">Connections of the caller's that may be opened again.</param>
    /// <param name="cancellationToken">Cancels waiting and opening.</param>
    internal ValueTask<NpgsqlConnection> OpenConnectionAsync(DatabaseRoute route, KeptConnections? kept, CancellationToken cancellationToken)
    {
        ThrowIfDisposed();
        return DatabaseSession.Ambient(this) is null
            ? _opener.OpenPlainAsync(_configuration.PlanOf(route), kept, cancellationToken)
            : OpenConnectionAsync(route, default(OperationOptions), cancellationToken);
    }

    /// <inheritdoc cref="OpenConnectionAsync(DatabaseRoute, CancellationToken)"/>
    public async ValueTask<NpgsqlConnection> OpenConnectionAsync(DatabaseRoute route, OperationOptions options, CancellationToken cancellationToken = default) =>
        (await _opener.OpenAsync(NewAttempt(route, options), cancellationToken).ConfigureAwait(false)).Connection;

    /// <inheritdoc cref="OpenConnectionAsync(DatabaseRoute, CancellationToken)"/>
    public NpgsqlConnection OpenConnection(DatabaseRoute route) => OpenConnection(route, default);

    /// <inheritdoc cref="OpenConnectionAsync(DatabaseRoute, CancellationToken)"/>
    public NpgsqlConnection OpenConnection(DatabaseRoute route, OperationOptions options) => _opener.Open(NewAttempt(route, options)).Connection;

    /// <summary>
    /// Runs work on the right host. On a read-only route it is run again on another host when its host failed it; on a writable route only when it
    /// provably did nothing: the connection could not be opened, or the server refused the very first command (57P01, 57P03, 25006).
    /// </summary>
    /// <remarks>
    /// A command that commits more than once by itself, as CALL of a procedure with COMMIT, can have done something when it is refused: give it
    /// <see cref="OperationOptions.AllowRetry"/> false.
    /// </remarks>
    /// <param name="route">What kind of work it is.</param>
    /// <param name="work">The work. On a read-only route it may run more than once, also while a run on a host that hangs has not ended yet.</param>
    /// <param name="cancellationToken">Cancels waiting, opening and the work.</param>
    /// <exception cref="NoEligibleHostException">No host may serve the route, and none came within the route's wait.</exception>
    /// <exception cref="DatabaseRouterConfigurationException">Every host refuses our credentials, database or TLS settings, or belongs to another cluster.</exception>
    /// <exception cref="TimeoutException">The call's deadline passed.</exception>
    /// <exception cref="TransactionOutcomeUnknownException">On a writable route, the connection was lost with something sent and not answered.</exception>
    public Task<T> ExecuteAsync<T>(DatabaseRoute route, Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken = default) =>
        ExecuteAsync(route, default, work, cancellationToken);

    /// <inheritdoc cref="ExecuteAsync{T}(DatabaseRoute, Func{NpgsqlConnection, CancellationToken, Task{T}}, CancellationToken)"/>
    public Task<T> ExecuteAsync<T>(DatabaseRoute route, OperationOptions options, Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(work);
        var attempt = NewAttempt(route, options);
        return _telemetry.IsEnabled ? MeasuredAsync(attempt, work, cancellationToken) : _executor.ExecuteAsync(attempt, work, cancellationToken);
    }

    /// <inheritdoc cref="ExecuteAsync{T}(DatabaseRoute, Func{NpgsqlConnection, CancellationToken, Task{T}}, CancellationToken)"/>
    public Task ExecuteAsync(DatabaseRoute route, Func<NpgsqlConnection, CancellationToken, Task> work, CancellationToken cancellationToken = default) =>
        ExecuteAsync(route, default, work, cancellationToken);

    /// <inheritdoc cref="ExecuteAsync{T}(DatabaseRoute, Func{NpgsqlConnection, CancellationToken, Task{T}}, CancellationToken)"/>
    public Task ExecuteAsync(DatabaseRoute route, OperationOptions options, Func<NpgsqlConnection, CancellationToken, Task> work, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(work);
        return ExecuteAsync(route, options, async (connection, ct) =>
        {
            await work(connection, ct).ConfigureAwait(false);
            return true;
        }, cancellationToken);
    }

    /// <inheritdoc cref="ExecuteAsync{T}(DatabaseRoute, Func{NpgsqlConnection, CancellationToken, Task{T}}, CancellationToken)"/>
    public T Execute<T>(DatabaseRoute route, Func<NpgsqlConnection, T> work) => Execute(route, default, work);

    /// <inheritdoc cref="ExecuteAsync{T}(DatabaseRoute, Func{NpgsqlConnection, CancellationToken, Task{T}}, CancellationToken)"/>
    public T Execute<T>(DatabaseRoute route, OperationOptions options, Func<NpgsqlConnection, T> work)
    {
        ArgumentNullException.ThrowIfNull(work);
        var attempt = NewAttempt(route, options);
        return _telemetry.IsEnabled ? Measured(attempt, work) : _executor.Execute(attempt, work);
    }

    /// <summary>
    /// Runs work in a transaction on the primary and commits it. When the server says that it rolled back for others' sake
    /// (40001 serialization failure, 40P01 deadlock), the work is run again in a new transaction, up to 5 times, with backoff.
    /// </summary>
    /// <param name="work">The work; <c>transaction.Connection</c> is its connection. It may run more than once.</param>
    /// <param name="cancellationToken">Cancels waiting, opening and the work; not a COMMIT under way.</param>
    /// <exception cref="NoEligibleHostException">No primary may serve, and none came within the route's wait.</exception>
    /// <exception cref="PostgresException">25P02: the work swallowed the error of a statement, so that there is nothing to commit; or an error of the work.</exception>
    /// <exception cref="TransactionOutcomeUnknownException">The connection was lost while COMMIT was under way.</exception>
    public Task<T> WithTransactionAsync<T>(Func<NpgsqlTransaction, CancellationToken, Task<T>> work, CancellationToken cancellationToken = default) =>
        WithTransactionAsync(IsolationLevel.Unspecified, work, cancellationToken);

    /// <inheritdoc cref="WithTransactionAsync{T}(Func{NpgsqlTransaction, CancellationToken, Task{T}}, CancellationToken)"/>
    public Task<T> WithTransactionAsync<T>(IsolationLevel isolationLevel, Func<NpgsqlTransaction, CancellationToken, Task<T>> work, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(work);
        return _telemetry.IsEnabled
            ? MeasuredTransactionAsync(isolationLevel, work, cancellationToken)
            : _executor.WithTransactionAsync(() => NewAttempt(DatabaseOperation.Transactional, default), isolationLevel, work, cancellationToken);
    }

    /// <inheritdoc cref="WithTransactionAsync{T}(Func{NpgsqlTransaction, CancellationToken, Task{T}}, CancellationToken)"/>
    public Task WithTransactionAsync(Func<NpgsqlTransaction, CancellationToken, Task> work, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(work);
        return WithTransactionAsync(async (transaction, ct) =>
        {
            await work(transaction, ct).ConfigureAwait(false);
            return true;
        }, cancellationToken);
    }

    /// <summary>A data source that routes anew at every open, for Dapper, EF Core, health checks and whatever else takes one.</summary>
    /// <remarks>
    /// A connection that it creates unopened leads, each time that it is opened, to a host that may serve at that moment; within a session, a read's leads to
    /// the host that was picked at its creation. To wait for a host, or for another try where one fails, open connections by the data source.
    /// </remarks>
    public DbDataSource GetDataSource(DatabaseRoute route) => GetDataSource(route, default);

    /// <inheritdoc cref="GetDataSource(DatabaseRoute)"/>
    public DbDataSource GetDataSource(DatabaseRoute route, OperationOptions options)
    {
        _configuration.PlanOf(route);   // an unknown route fails here rather than at the first open
        return new RoutingDataSource(this, route, options);
    }

    /// <summary>
    /// Begins a session that covers the calling code and all that it starts, until the session is disposed: its reads see its own writes and
    /// never go back in time. Inside another session of this router it continues that one.
    /// </summary>
    /// <param name="token">What <see cref="DatabaseSession.Token"/> gave, in this process or another; <see langword="null"/> or empty for none.
    /// A damaged, forged or foreign one is ignored and counted.</param>
    public DatabaseSession BeginSession(string? token = null) => Merged(DatabaseSession.Begin(this, _tokens, null), token);

    /// <summary>Creates a session that covers only the operations to which it is given as <see cref="OperationOptions.Session"/>.</summary>
    /// <inheritdoc cref="BeginSession" path="/param"/>
    public DatabaseSession CreateSession(string? token = null) => Merged(DatabaseSession.Create(this, _tokens), token);

    /// <summary>
    /// States what the calling code, and all that it starts, is about to do, until the scope is disposed: whatever routes by itself goes there, as
    /// queries of Entity Framework Core and connections of an endpoint. Writes go to the primary all the same. The innermost scope counts.
    /// </summary>
    /// <param name="route">An operation or the name of a route.</param>
    public RouteScope BeginRoute(DatabaseRoute route)
    {
        _configuration.PlanOf(route);   // an unknown route fails here rather than at the first open
        return RouteScope.Begin(this, route);
    }

    /// <summary>The route that was stated for the calling code: by the innermost scope, else by what its session began from.</summary>
    internal DatabaseRoute? AmbientRoute => RouteScope.Ambient(this) ?? DatabaseSession.Ambient(this)?.Origin?.Route;

    /// <summary>The session that covers the calling code; <see langword="null"/> outside of any.</summary>
    /// <remarks>For what sends a job or message on behalf of its caller, and has its token travel along.</remarks>
    public DatabaseSession? CurrentSession => DatabaseSession.Ambient(this);

    /// <summary>Begins an ambient session that looks for its token when it first needs one.</summary>
    internal DatabaseSession BeginSessionFrom(SessionOrigin origin) => Merged(DatabaseSession.Begin(this, _tokens, origin), null);

    /// <summary>Counts a token that was damaged or forged on its way here, and logs the first one.</summary>
    internal void IgnoreToken(string reason) => _tokens.Ignore(reason);

    /// <summary>Whether some host may serve the route at this moment.</summary>
    internal bool CanServe(DatabaseRoute route) => _chooser.CanServe(_configuration.PlanOf(route));

    /// <summary>Who would serve the route at this moment, and why not the others.</summary>
    internal RouteExplanation Explain(DatabaseRoute route, OperationOptions options) => _chooser.Explain(_configuration.PlanOf(route), options);

    /// <summary>What was routed where so far.</summary>
    public DatabaseRouterMetrics GetMetrics() => _status.Metrics();

    /// <summary>How every configured host stands, by host name.</summary>
    public IReadOnlyDictionary<string, HostHealth> GetHealthStatus() => _status.Health();

    /// <summary>
    /// Sends all reads to the primary for <see cref="DatabaseRouterOptions.ForcedFailoverDuration"/> (5 s by default); then health checks decide
    /// again. Called again meanwhile, it starts the time anew. Reads under way finish where they are.
    /// </summary>
    /// <remarks>If the primary is lost meanwhile, replicas serve again.</remarks>
    /// <exception cref="NoEligibleHostException">There is no primary to force reads to.</exception>
    public Task ForceFailoverToPrimaryAsync(CancellationToken cancellationToken = default) =>
        ForceFailoverToPrimaryAsync(_configuration.ForcedFailoverDuration, cancellationToken);

    /// <inheritdoc cref="ForceFailoverToPrimaryAsync(CancellationToken)"/>
    /// <param name="duration">How long; above zero.</param>
    /// <param name="cancellationToken">Cancels waiting for the first probes.</param>
    public async Task ForceFailoverToPrimaryAsync(TimeSpan duration, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(duration, TimeSpan.Zero);
        ThrowIfDisposed();
        await _chooser.WaitUntilSettledAsync(cancellationToken).ConfigureAwait(false);
        _operator.ForceToPrimary(duration);
    }

    /// <summary>Gives a host no new work, and waits until its connections in use are returned or <see cref="DatabaseRouterOptions.DrainTimeout"/> has passed.</summary>
    /// <param name="host">The host's name.</param>
    /// <param name="cancellationToken">Cancels the waiting; the host stays drained.</param>
    /// <exception cref="ArgumentException">There is no host of that name.</exception>
    public Task DrainAsync(string host, CancellationToken cancellationToken = default)
    {
        ThrowIfDisposed();
        return _operator.DrainAsync(host, cancellationToken);
    }

    /// <summary>Lets a drained host serve again.</summary>
    /// <inheritdoc cref="DrainAsync" path="/param" />
    /// <inheritdoc cref="DrainAsync" path="/exception" />
    public Task RestoreAsync(string host, CancellationToken cancellationToken = default)
    {
        ThrowIfDisposed();
        cancellationToken.ThrowIfCancellationRequested();
        _operator.Restore(host);
        return Task.CompletedTask;
    }

    /// <summary>What <see cref="AcceptAsync"/> would change, by what is known now. Changes nothing.</summary>
    /// <param name="host">The host's name.</param>
    /// <exception cref="ArgumentException">There is no host of that name.</exception>
    /// <exception cref="InvalidOperationException">The host does not answer: what it is can't be told.</exception>
    public HostAcceptance PreviewAccept(string host)
    {
        ThrowIfDisposed();
        return _operator.PreviewAccept(host);
    }

    /// <summary>
    /// Makes what a host shows now, its system identifier and its timeline, the cluster's, whatever other hosts show: for when a standby was promoted by mistake, or the cluster was
    /// replaced. Servers of other identities, and servers on later timelines, get no traffic for as long as they show the same. Writes that only they hold are given up.
    /// </summary>
    /// <remarks>For this process alone: each application process is ordered by itself. A promotion that follows is followed as ever.</remarks>
    /// <param name="host">The host's name.</param>
    /// <param name="cancellationToken">Cancels nothing that has taken effect.</param>
    /// <returns>What it changed.</returns>
    /// <inheritdoc cref="PreviewAccept" path="/exception"/>
    public Task<HostAcceptance> AcceptAsync(string host, CancellationToken cancellationToken = default)
    {
        ThrowIfDisposed();
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult(_operator.Accept(host));
    }

    /// <summary>Waits until the first probes are done and some host can serve. Never required: operations wait by themselves.</summary>
    /// <param name="timeout">Longest wait.</param>
    /// <param name="cancellationToken">Cancels the waiting.</param>
    /// <exception cref="DatabaseRouterConfigurationException">A probe found what no waiting mends: refused credentials, an unknown database or host name,
    /// a server of another cluster, two names for one server, or standbys only.</exception>
    /// <exception cref="NoEligibleHostException">No host can serve reads or writes.</exception>
    public Task WaitUntilReadyAsync(TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        ThrowIfDisposed();
        return _operator.WaitUntilReadyAsync(timeout, cancellationToken);
    }

    /// <summary>Stops watching and closes all pools. Connections in use are closed when they are returned.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0) return;
        _changes?.Dispose();
        _store.Close();
        _meter.Dispose();
        await Task.WhenAll(_sources.Select(source => source.DisposeAsync().AsTask())).ConfigureAwait(false);
        await _live.DisposeAsync().ConfigureAwait(false);
        await _fencedWriters.DisposeAsync().ConfigureAwait(false);
        await _stalls.DisposeAsync().ConfigureAwait(false);
        await Task.WhenAll(_fleet.All.Select(host => host.Monitor.DisposeAsync().AsTask())).ConfigureAwait(false);
        _listener.Dispose();
        foreach (var source in _fleet.All.SelectMany(host => host.Sources)) await source.DisposeAsync().ConfigureAwait(false);
    }

    /// <inheritdoc cref="DisposeAsync"/>
    public void Dispose() => Task.Run(async () => await DisposeAsync().ConfigureAwait(false)).GetAwaiter().GetResult();

    /// <summary>A connection to a host that is picked now, counted once it is opened.</summary>
    internal NpgsqlConnection CreateConnection(DatabaseRoute route, OperationOptions options) => _opener.Create(NewAttempt(route, options));

    /// <summary>Whether a route only reads.</summary>
    internal bool IsReadOnly(DatabaseRoute route) => _configuration.PlanOf(route).IsReadOnly;

    /// <summary>The present moment, by the router's clock.</summary>
    internal long Timestamp => _time.GetTimestamp();

    /// <summary>Reports a failure that was met on a connection after it was handed out.</summary>
    /// <param name="host">The server's name or address, as the connection gives it.</param>
    /// <param name="port">Its port.</param>
    /// <param name="route">The route by which it was chosen.</param>
    /// <param name="exception">The failure.</param>
    /// <param name="openedAt">When the connection was handed out: what is known of the host since then outweighs the failure.</param>
    /// <param name="site">Whether the connection broke.</param>
    /// <returns>What to avoid when the same is tried again; null when the failure was none of the host's.</returns>
    internal FailedAttempt? Report(string? host, int port, DatabaseRoute route, Exception exception, long openedAt, FailureSite site)
    {
        var plan = _configuration.PlanOf(route);
        foreach (var pools in _fleet.All)
        {
            var pool = pools.All[plan.Index];
            if (pool.Host.Connection.Port != port || pool.Host.Connection.Host != host) continue;
            return _opener.Report(exception, pool, openedAt, site) ? new FailedAttempt(pool.Host, exception, _time.GetTimestamp()) : null;
        }

        return null;
    }

    /// <summary>Opens a connection, if it can be on another host than the one that failed.</summary>
    internal async ValueTask<NpgsqlConnection> OpenElsewhereAsync(DatabaseRoute route, OperationOptions options, FailedAttempt failure, CancellationToken cancellationToken) =>
        (await _opener.OpenAsync(failure.Exclude(NewAttempt(route, options)), cancellationToken).ConfigureAwait(false)).Connection;

    /// <inheritdoc cref="OpenElsewhereAsync"/>
    internal NpgsqlConnection OpenElsewhere(DatabaseRoute route, OperationOptions options, FailedAttempt failure) =>
        _opener.Open(failure.Exclude(NewAttempt(route, options))).Connection;

    /// <summary>Notes what is needed to find out how a transaction ended, right before its COMMIT.</summary>
    internal TransactionMark Mark(NpgsqlTransaction transaction) => _outcomes.Mark(transaction);

    /// <inheritdoc cref="Mark"/>
    internal Task<TransactionMark> MarkAsync(NpgsqlTransaction transaction, CancellationToken cancellationToken) => _outcomes.MarkAsync(transaction, cancellationToken);

    /// <summary>Finds out how a transaction ended whose COMMIT got no answer, within the time that a write waits for a primary.</summary>
    /// <param name="mark">What was noted before the COMMIT.</param>
    /// <param name="options">Those of the transaction's connection.</param>
    /// <param name="cancellationToken">Ends it without having found out.</param>
    internal Task<TransactionOutcome> ResolveInTimeAsync(TransactionMark mark, OperationOptions options, CancellationToken cancellationToken) =>
        _outcomes.ResolveInTimeAsync(mark, SessionOf(options), cancellationToken);

    internal TopologySnapshot Topology => _store.Current;

    private Task<T> MeasuredAsync<T>(Attempt attempt, Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken) =>
        _telemetry.RunAsync("execute", attempt.Plan, () => attempt.Host, () => _executor.ExecuteAsync(attempt, work, cancellationToken));

    private T Measured<T>(Attempt attempt, Func<NpgsqlConnection, T> work) =>
        _telemetry.Run("execute", attempt.Plan, () => attempt.Host, () => _executor.Execute(attempt, work));

    private Task<T> MeasuredTransactionAsync<T>(IsolationLevel isolationLevel, Func<NpgsqlTransaction, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        Attempt? last = null;
        return _telemetry.RunAsync("transaction", _configuration.PlanOf(DatabaseOperation.Transactional), () => last?.Host,
            () => _executor.WithTransactionAsync(() => last = NewAttempt(DatabaseOperation.Transactional, default), isolationLevel, work, cancellationToken));
    }

    /// <summary>Raised after each change with the topology before and after, on the thread that found it: a listener must be quick.</summary>
    internal event Action<TopologySnapshot, TopologySnapshot> TopologyChanged
    {
        add => _store.Changed += value;
        remove => _store.Changed -= value;
    }

    /// <summary>The pools of each host that there is.</summary>
    internal IEnumerable<HostPools> Pools => _fleet.Hosts;

    /// <summary>What callers were refused, and what failed them.</summary>
    internal (long NotOpened, OperationFailure[] Last) Failures => (_counters.NotOpened, _counters.Failures.Last());

    /// <summary>All routes, in the order of their indexes.</summary>
    internal ImmutableArray<RoutePlan> Routes => _configuration.Routes;

    /// <summary>What came of the last question to each source of hosts; null for one that has not answered yet.</summary>
    internal IEnumerable<SourceReport?> SourceReports => _sources.Select(source => source.Last);

    /// <summary>Has the sources asked when the primary is lost, or a host contradicts them: they may know more by now.</summary>
    private void OnDoubt(TopologySnapshot before, TopologySnapshot after)
    {
        var isContradicted = (after.Belief.Contradicted & ~before.Belief.Contradicted) != 0;
        if (!isContradicted && (before.Primary is null || after.Primary is not null)) return;
        foreach (var source in _sources) source.Wake();
    }

    private Attempt NewAttempt(DatabaseRoute route, in OperationOptions options)
    {
        ThrowIfDisposed();
        return new Attempt(_configuration.PlanOf(route), options, SessionOf(options), _time);
    }

    private SessionState? SessionOf(in OperationOptions options)
    {
        options.Session?.ThrowIfNotOf(this);
        var session = (options.Session ?? DatabaseSession.Ambient(this))?.State;
        if (string.IsNullOrEmpty(options.SessionToken)) return session;
        session ??= _tokens.NewState();
        _tokens.Merge(options.SessionToken, session);
        return session;
    }

    private DatabaseSession Merged(DatabaseSession session, string? token)
    {
        _counters.CountSession();
        session.Merge(token);
        return session;
    }

    private void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(Volatile.Read(ref _isDisposed) != 0, this);
}
