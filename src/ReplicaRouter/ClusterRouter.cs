using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics.Metrics;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace ReplicaRouter;

/// <summary>The router of a cluster. The constructor ties its parts together; the rest passes calls on to them. Routers of further databases share the parts.</summary>
internal sealed class ClusterRouter : DatabaseRouter
{
    private const int LongestName = 63;
    private static readonly string s_category = typeof(DatabaseRouter).FullName!;

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
    private readonly FailureReporter _failures;
    private readonly OutcomeResolver _outcomes;
    private readonly Executor _executor;
    private readonly StallWatch _stalls;
    private readonly FencedWriters _fencedWriters;
    private readonly Operator _operator;
    private readonly RouterStatus _status;
    private readonly RouterMeter _meter;
    private readonly OperationTelemetry _telemetry;
    private readonly ILogger _logger;
    private readonly IdleDatabases _idleDatabases;
    private readonly ClusterRouter _cluster;
    private readonly List<IDisposable> _changes = [];
    private readonly ConcurrentDictionary<string, Lazy<ClusterRouter>> _databases = new(StringComparer.Ordinal);
    private int _isDisposed;

    public ClusterRouter(
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
        createProbe ??= host => new NpgsqlHostProbe(host, configuration.Health.Timeout, time, configuration.Login);
        var logger = _logger = loggerFactory.CreateLogger(LogCategoryOf(configuration.Name));

        _cluster = this;
        _configuration = configuration;
        _store = new TopologyStore(TopologySnapshot.Initial(configuration), time);
        _counters = new RoutingCounters(configuration.Routes, configuration.Sources);
        _listener = new CommandListener();
        var idle = new IdleCheck(configuration.AskIdleAfter, time);
        var limit = new ConcurrencyLimit(configuration.LeastPrimaryReads, configuration.PrimaryReads, configuration.Routes.Length, time);
        var guard = new PrimaryGuard(limit, configuration.PrimaryReadsPerSecond, time);
        _fleet = new Fleet(configuration, _store, _listener, createProbe, idle, loggerFactory, time, random, logger) { Measured = guard.Record };
        foreach (var host in configuration.Hosts) _fleet.Add(host);
        var sessions = new SessionWatcher(_counters, time, logger);
        _tokens = new SessionTokens(configuration, _store, _fleet, sessions, time);
        _chooser = new HostChooser(configuration, _store, _fleet, _counters, guard, sessions, time, random);
        // It comes first of what follows changes: a connection that is opened in between is not to meet the lost host.
        var created = new CreatedConnections(_chooser, _store);
        _store.Changed += guard.OnChanged;
        _store.Changed += new TopologyWatcher(_fleet, _counters, logger).OnChanged;
        _fencedWriters = new FencedWriters(configuration, _store, _fleet, _listener, time, logger);
        _store.Changed += _fencedWriters.OnChanged;
        _failures = new FailureReporter(_store);
        var verifier = new ConnectionVerifier(configuration, _store, new PrimaryProof(configuration, _store, _fleet, time), time);
        _opener = new ConnectionOpener(_store, _chooser, new LeaseOpener(_store, _listener, idle, time), verifier, _failures, guard, _counters, created, time);
        var rules = new RetryRules(_store, _failures, _counters, time, logger);
        _outcomes = new OutcomeResolver(configuration, _store, _opener, time);
        _executor = new Executor(_store, _opener, rules, _outcomes, new LostAnswers(configuration, _store, time), new Hedging(configuration.Routes, _counters, PreciseTime.Of(time)), time, random);
        _operator = new Operator(configuration, _store, _fleet, _listener, _counters, time, logger);
        _status = new RouterStatus(_store, _fleet, _listener, _counters, time);
        _meter = new RouterMeter(meterFactory, configuration, _store, _fleet, _listener, _chooser, _counters, time);
        _telemetry = new OperationTelemetry(_meter.OperationDuration, configuration.Name, time);
        _live = new LiveTopology(configuration, _fleet, _store, createProbe, new Retirement(configuration, _listener, time, logger), _counters, time, logger);
        _sources = [.. configuration.Sources.Select(source => new SourceMonitor(source, _live, _store, _fleet, configuration.Discovery, _counters, time, random, logger))];
        foreach (var host in _fleet.All) host.Monitor.Start();
        foreach (var source in _sources) source.Start();
        if (NpgsqlCheck.Missing.Count > 0) Log.NpgsqlLacks(logger, typeof(NpgsqlConnection).Assembly.GetName().Version, string.Join(", ", NpgsqlCheck.Missing));
        if (DiscoveredLogin.IsUnguarded(configuration)) Log.SourcesAreTrusted(logger, configuration.Hosts[0].Source);
        _store.Changed += OnDoubt;
        _stalls = new StallWatch(_fleet, _listener, time);
        _idleDatabases = new IdleDatabases(_listener, created, time, logger);
    }

    /// <summary>A router of the same cluster whose connections lead to another database.</summary>
    private ClusterRouter(ClusterRouter cluster, Database database)
    {
        _cluster = cluster;
        _configuration = cluster._configuration.For(database);
        (_time, _store, _fleet, _live, _sources) = (cluster._time, cluster._store, cluster._fleet, cluster._live, cluster._sources);
        (_counters, _listener, _chooser, _tokens, _opener, _failures) = (cluster._counters, cluster._listener, cluster._chooser, cluster._tokens, cluster._opener, cluster._failures);
        (_outcomes, _executor, _stalls, _fencedWriters) = (cluster._outcomes, cluster._executor, cluster._stalls, cluster._fencedWriters);
        (_operator, _status, _meter, _telemetry, _logger) = (cluster._operator, cluster._status, cluster._meter, cluster._telemetry, cluster._logger);
        _idleDatabases = cluster._idleDatabases;
        _idleDatabases.Add(database);
    }

    /// <inheritdoc/>
    public override DatabaseRouter ForDatabase(string database)
    {
        ArgumentException.ThrowIfNullOrEmpty(database);
        // Source: PostgreSQL manual, "Identifiers and Key Words": longer names are cut off, and would lead elsewhere.
        if (Encoding.UTF8.GetByteCount(database) > LongestName || database.Contains('\0', StringComparison.Ordinal))
            throw new ArgumentException($"The name of a database has at most {LongestName} bytes, none of them 0.", nameof(database));
        if (_configuration.SingleServer is not null) throw new NotSupportedException("A router that DatabaseRouter.ForSingleServer made has the one database of its data source.");
        ThrowIfDisposed();
        // Without a database, a login leads to the one of the user's name.
        if (_configuration.Hosts.All(host => (host.Connection.Database ?? host.Connection.Username) == database)) return _cluster;
        return _cluster._databases.GetOrAdd(database, static (name, cluster) => new(() => cluster.NewRouterOf(name)), _cluster).Value;
    }

    private ClusterRouter NewRouterOf(string database) => new(this, new Database(database, _configuration.Routes.Length, _time));

    /// <inheritdoc/>
    public override void Reload(DatabaseRouterOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ThrowIfDisposed();
        var next = RouterConfigurationBuilder.Build(options);
        _live.Configure(next.Hosts);
        if (!next.EqualsBeyondHosts(_cluster._configuration)) Log.RestartNeeded(_logger);
    }

    /// <summary>Reads options and reloads them. No caller waits for it, so a fault goes to the log.</summary>
    public void TryReload(Func<DatabaseRouterOptions> read)
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
    public void Follow(IDisposable changes) => _changes.Add(changes);

    /// <inheritdoc/>
    public override NpgsqlDataSource GetClient(DatabaseRoute route, OperationOptions? options = null)
    {
        ThrowIfDisposed();
        var plan = _configuration.PlanOf(route);
        if (options is null && DatabaseSession.Ambient(this) is null && _chooser.TryChoosePlain(plan) is { } plain) return plain.DataSource;
        var pool = SessionOf(options) is { } session ? _opener.Pick(new Attempt(plan, options, session, _time)) : _chooser.Choose(plan, options);
        return pool.DataSource;
    }

    /// <inheritdoc/>
    public override ValueTask<NpgsqlConnection> OpenConnectionAsync(DatabaseRoute route, OperationOptions? options = null, CancellationToken cancellationToken = default) =>
        options is null ? OpenPlainConnectionAsync(route, null, cancellationToken) : OpenAsync(route, options, cancellationToken);

    /// <summary>An open connection for what asks for nothing beyond its route, and the ambient session if there is one.</summary>
    /// <param name="route">The route.</param>
    /// <param name="kept">Connections of the caller's that may be opened again.</param>
    /// <param name="cancellationToken">Cancels waiting and opening.</param>
    public ValueTask<NpgsqlConnection> OpenPlainConnectionAsync(DatabaseRoute route, KeptConnections? kept, CancellationToken cancellationToken)
    {
        ThrowIfDisposed();
        return DatabaseSession.Ambient(this) is null ? _opener.OpenPlainAsync(_configuration.PlanOf(route), kept, cancellationToken) : OpenAsync(route, null, cancellationToken);
    }

    private async ValueTask<NpgsqlConnection> OpenAsync(DatabaseRoute route, OperationOptions? options, CancellationToken cancellationToken) =>
        (await _opener.OpenAsync(NewAttempt(route, options), cancellationToken).ConfigureAwait(false)).Connection;

    /// <inheritdoc/>
    public override NpgsqlConnection OpenConnection(DatabaseRoute route, OperationOptions? options = null) => Open(NewAttempt(route, options));

    /// <inheritdoc/>
    public override Task<T> ExecuteAsync<T>(
        DatabaseRoute route, Func<NpgsqlConnection, CancellationToken, Task<T>> work, OperationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(work);
        return RunAsync("execute", NewAttempt(route, options), new AsyncWork<T>(work), cancellationToken);
    }

    /// <inheritdoc/>
    public override Task ExecuteAsync(
        DatabaseRoute route, Func<NpgsqlConnection, CancellationToken, Task> work, OperationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(work);
        return ExecuteAsync(route, async (connection, ct) =>
        {
            await work(connection, ct).ConfigureAwait(false);
            return true;
        }, options, cancellationToken);
    }

    /// <inheritdoc/>
    public override T Execute<T>(DatabaseRoute route, Func<NpgsqlConnection, T> work, OperationOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(work);
        var (attempt, unit) = (NewAttempt(route, options), new SyncWork<T>(work));
        return _telemetry.IsEnabled ? _telemetry.Run("execute", attempt.Plan, () => attempt.Host, () => _executor.Execute(attempt, unit)) : _executor.Execute(attempt, unit);
    }

    /// <inheritdoc/>
    public override void Execute(DatabaseRoute route, Action<NpgsqlConnection> work, OperationOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(work);
        Execute(route, connection =>
        {
            work(connection);
            return true;
        }, options);
    }

    /// <inheritdoc/>
    public override Task<T> WithTransactionAsync<T>(
        Func<NpgsqlTransaction, CancellationToken, Task<T>> work, OperationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(work);
        var attempt = NewAttempt(DatabaseOperation.Transactional, options);
        return RunAsync("transaction", attempt, new TransactionWork<T>(work, attempt.IsolationLevel, _outcomes), cancellationToken);
    }

    /// <inheritdoc/>
    public override Task WithTransactionAsync(
        Func<NpgsqlTransaction, CancellationToken, Task> work, OperationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(work);
        return WithTransactionAsync(async (transaction, ct) =>
        {
            await work(transaction, ct).ConfigureAwait(false);
            return true;
        }, options, cancellationToken);
    }

    /// <inheritdoc/>
    public override RoutedDataSource GetDataSource(DatabaseRoute route, OperationOptions? options = null)
    {
        _configuration.PlanOf(route);   // an unknown route fails here rather than at the first open
        return new ClusterDataSource(this, route, options);
    }

    /// <inheritdoc/>
    public override DatabaseSession BeginSession(string? token = null) => Merged(DatabaseSession.Begin(this, _tokens, null), token);

    /// <inheritdoc/>
    public override DatabaseSession CreateSession(string? token = null) => Merged(DatabaseSession.Create(this, _tokens), token);

    /// <inheritdoc/>
    public override DatabaseSession? CurrentSession => DatabaseSession.Ambient(this);

    /// <inheritdoc/>
    public override IDisposable BeginRoute(DatabaseRoute route)
    {
        _configuration.PlanOf(route);   // an unknown route fails here rather than at the first open
        return RouteScope.Begin(this, route);
    }

    /// <summary>The route that was stated for the calling code: by the innermost scope, else by what its session began from.</summary>
    public DatabaseRoute? AmbientRoute => RouteScope.Ambient(this) ?? DatabaseSession.Ambient(this)?.Origin?.Route;

    /// <summary>Begins an ambient session that looks for its token when it first needs one.</summary>
    public DatabaseSession BeginSessionFrom(SessionOrigin origin) => Merged(DatabaseSession.Begin(this, _tokens, origin), null);

    /// <summary>Counts a token that was damaged or forged on its way here, and logs the first one.</summary>
    public void IgnoreToken(string reason) => _tokens.Ignore(reason);

    /// <summary>Whether some host may serve the route at this moment.</summary>
    public bool CanServe(DatabaseRoute route) => _chooser.CanServe(_configuration.PlanOf(route));

    /// <summary>Who would serve the route at this moment, and why not the others.</summary>
    public RouteExplanation Explain(DatabaseRoute route, OperationOptions? options) => _chooser.Explain(_configuration.PlanOf(route), options);

    /// <inheritdoc/>
    public override DatabaseRouterMetrics GetMetrics() => _status.Metrics();

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, HostHealth> GetHealthStatus() => _status.Health();

    /// <inheritdoc/>
    public override async Task ForceFailoverToPrimaryAsync(TimeSpan? duration = null, CancellationToken cancellationToken = default)
    {
        var limit = duration ?? _configuration.ForcedFailoverDuration;
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(limit, TimeSpan.Zero, nameof(duration));
        ThrowIfDisposed();
        await _chooser.WaitUntilSettledAsync(cancellationToken).ConfigureAwait(false);
        _operator.ForceToPrimary(limit);
    }

    /// <inheritdoc/>
    public override Task DrainAsync(string host, CancellationToken cancellationToken = default)
    {
        ThrowIfDisposed();
        return _operator.DrainAsync(host, cancellationToken);
    }

    /// <inheritdoc/>
    public override Task RestoreAsync(string host, CancellationToken cancellationToken = default)
    {
        ThrowIfDisposed();
        cancellationToken.ThrowIfCancellationRequested();
        _operator.Restore(host);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public override HostAcceptance PreviewAccept(string host)
    {
        ThrowIfDisposed();
        return _operator.PreviewAccept(host);
    }

    /// <inheritdoc/>
    public override Task<HostAcceptance> AcceptAsync(string host, CancellationToken cancellationToken = default)
    {
        ThrowIfDisposed();
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult(_operator.Accept(host));
    }

    /// <inheritdoc/>
    public override Task WaitUntilReadyAsync(CancellationToken cancellationToken = default) => WaitUntilReadyWithinAsync(Timeout.InfiniteTimeSpan, cancellationToken);

    /// <inheritdoc cref="WaitUntilReadyAsync"/>
    /// <exception cref="NoEligibleHostException">No host could serve in time.</exception>
    public Task WaitUntilReadyWithinAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        ThrowIfDisposed();
        return _operator.WaitUntilReadyAsync(limit, cancellationToken);
    }

    /// <inheritdoc/>
    protected override async ValueTask DisposeCoreAsync()
    {
        // That of a further database is disposed of with its cluster's.
        if (_cluster != this) return;
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0) return;
        foreach (var changes in _changes) changes.Dispose();
        _store.Close();
        _meter.Dispose();
        await Task.WhenAll(_sources.Select(source => source.DisposeAsync().AsTask())).ConfigureAwait(false);
        await _live.DisposeAsync().ConfigureAwait(false);
        await _fencedWriters.DisposeAsync().ConfigureAwait(false);
        await _stalls.DisposeAsync().ConfigureAwait(false);
        await _idleDatabases.DisposeAsync().ConfigureAwait(false);
        await Task.WhenAll(_fleet.All.Select(host => host.Monitor.DisposeAsync().AsTask())).ConfigureAwait(false);
        _listener.Dispose();
        if (_configuration.SingleServer is not null) return;
        foreach (var source in _fleet.All.SelectMany(host => host.Sources)) await source.DisposeAsync().ConfigureAwait(false);
    }

    internal override ClusterRouter Engine => this;

    internal override DatabaseRouter Cluster => _cluster;

    internal override string? Name => _configuration.Name;

    /// <summary>The category of a router's log events.</summary>
    /// <param name="name">The router's name; null for the one without.</param>
    public static string LogCategoryOf(string? name) => name is null ? s_category : $"{s_category}.{name}";

    /// <summary>A connection to a host that is picked now, counted once it is opened.</summary>
    public NpgsqlConnection CreateConnection(DatabaseRoute route, OperationOptions? options) => _opener.Create(NewAttempt(route, options));

    /// <summary>Whether a route only reads.</summary>
    public bool IsReadOnly(DatabaseRoute route) => _configuration.PlanOf(route).IsReadOnly;

    /// <summary>The present moment, by the router's clock.</summary>
    public long Timestamp => _time.GetTimestamp();

    /// <summary>Reports a failure that was met on a connection after it was handed out.</summary>
    /// <param name="host">The server's name or address, as the connection gives it.</param>
    /// <param name="port">Its port.</param>
    /// <param name="route">The route by which it was chosen.</param>
    /// <param name="exception">The failure.</param>
    /// <param name="openedAt">When the connection was handed out: what is known of the host since then outweighs the failure.</param>
    /// <param name="site">Whether the connection broke.</param>
    /// <returns>What to avoid when the same is tried again; null when the failure was none of the host's.</returns>
    public FailedAttempt? Report(string? host, int port, DatabaseRoute route, Exception exception, long openedAt, FailureSite site)
    {
        var plan = _configuration.PlanOf(route);
        foreach (var pools in _fleet.All)
        {
            var pool = pools.All[plan.Index];
            if (pool.Host.Connection.Port != port || pool.Host.Connection.Host != host) continue;
            return _failures.Report(exception, pool, openedAt, site) ? new FailedAttempt(pool.Host, exception, _time.GetTimestamp()) : null;
        }

        return null;
    }

    /// <summary>Opens a connection, if it can be on another host than the one that failed.</summary>
    public async ValueTask<NpgsqlConnection> OpenElsewhereAsync(DatabaseRoute route, OperationOptions? options, FailedAttempt failure, CancellationToken cancellationToken) =>
        (await _opener.OpenAsync(failure.Exclude(NewAttempt(route, options)), cancellationToken).ConfigureAwait(false)).Connection;

    /// <inheritdoc cref="OpenElsewhereAsync"/>
    public NpgsqlConnection OpenElsewhere(DatabaseRoute route, OperationOptions? options, FailedAttempt failure) =>
        Open(failure.Exclude(NewAttempt(route, options)));

    // Done when it returns.
    private NpgsqlConnection Open(Attempt attempt) => _opener.OpenAsync(attempt, async: false, CancellationToken.None).Wait().Connection;

    /// <summary>Notes what is needed to find out how a transaction ended, right before its COMMIT.</summary>
    public TransactionMark Mark(NpgsqlTransaction transaction) => _outcomes.Mark(transaction);

    /// <inheritdoc cref="Mark"/>
    public Task<TransactionMark> MarkAsync(NpgsqlTransaction transaction, CancellationToken cancellationToken) => _outcomes.MarkAsync(transaction, cancellationToken);

    /// <summary>Finds out how a transaction ended whose COMMIT got no answer, within the time that a write waits for a primary.</summary>
    /// <param name="mark">What was noted before the COMMIT.</param>
    /// <param name="options">Those of the transaction's connection.</param>
    /// <param name="cancellationToken">Ends it without having found out.</param>
    public Task<TransactionOutcome> ResolveInTimeAsync(TransactionMark mark, OperationOptions? options, CancellationToken cancellationToken) =>
        _outcomes.ResolveInTimeAsync(mark, SessionOf(options), cancellationToken);

    public TopologySnapshot Topology => _store.Current;

    private Task<T> RunAsync<T>(string name, Attempt attempt, Work<T> work, CancellationToken cancellationToken) =>
        _telemetry.IsEnabled ? MeasuredAsync(name, attempt, work, cancellationToken) : _executor.ExecuteAsync(attempt, work, cancellationToken);

    // By itself: what it hands over is allocated only where operations are timed.
    private Task<T> MeasuredAsync<T>(string name, Attempt attempt, Work<T> work, CancellationToken cancellationToken) =>
        _telemetry.RunAsync(name, attempt.Plan, () => attempt.Host, () => _executor.ExecuteAsync(attempt, work, cancellationToken));

    /// <summary>Raised after each change with the topology before and after, on the thread that found it: a listener must be quick.</summary>
    public event Action<TopologySnapshot, TopologySnapshot> TopologyChanged
    {
        add => _store.Changed += value;
        remove => _store.Changed -= value;
    }

    /// <summary>The pools of each host that there is.</summary>
    public IEnumerable<HostPools> Pools => _fleet.Hosts;

    /// <summary>What callers were refused, and what failed them.</summary>
    public (long NotOpened, OperationFailure[] Last) Failures => (_counters[RouterEvent.NotOpened], _counters.Failures.Last());

    /// <summary>All routes, in the order of their indexes.</summary>
    public ImmutableArray<RoutePlan> Routes => _configuration.Routes;

    /// <summary>What came of the last question to each source of hosts; null for one that has not answered yet.</summary>
    public IEnumerable<SourceReport?> SourceReports => _sources.Select(source => source.Last);

    /// <summary>Has the sources asked when the primary is lost, or a host contradicts them: they may know more by now.</summary>
    private void OnDoubt(TopologySnapshot before, TopologySnapshot after)
    {
        var isContradicted = (after.Belief.Contradicted & ~before.Belief.Contradicted) != 0;
        if (!isContradicted && (before.Primary is null || after.Primary is not null)) return;
        foreach (var source in _sources) source.Wake();
    }

    private Attempt NewAttempt(DatabaseRoute route, OperationOptions? options)
    {
        ThrowIfDisposed();
        return new Attempt(_configuration.PlanOf(route), options, SessionOf(options), _time);
    }

    private SessionState? SessionOf(OperationOptions? options)
    {
        options?.Session?.ThrowIfNotOf(this);
        var session = (options?.Session ?? DatabaseSession.Ambient(this))?.State;
        if (string.IsNullOrEmpty(options?.SessionToken)) return session;
        session ??= _tokens.NewState();
        _tokens.Merge(options.SessionToken, session);
        return session;
    }

    private DatabaseSession Merged(DatabaseSession session, string? token)
    {
        _counters.Count(RouterEvent.Session);
        session.Merge(token);
        return session;
    }

    private void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(Volatile.Read(ref _cluster._isDisposed) != 0, this);
}
