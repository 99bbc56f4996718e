using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace ReplicaRouter;

/// <summary>The router of one cluster. The constructor wires its parts; the members delegate to them. Routers of further databases share the parts.</summary>
internal sealed class ClusterRouter : DatabaseRouter
{
    private const int LongestName = 63;
    private static readonly string s_category = typeof(DatabaseRouter).FullName!;

    private RouterConfiguration _configuration;
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
        var limit = new ConcurrencyLimit(configuration.LeastPrimaryReads, configuration.PrimaryReads, configuration.Routes.Length, time);
        var guard = new PrimaryGuard(limit, configuration.PrimaryReadsPerSecond, time);
        _fleet = new Fleet(configuration, _store, _listener, createProbe, new DataSourceFactory(configuration, loggerFactory), time, random, logger) { Measured = guard.Record };
        foreach (var host in configuration.Hosts) _fleet.Add(host);
        var sessions = new SessionWatcher(_counters, time, logger);
        _tokens = new SessionTokens(configuration, _store, _fleet, sessions, time);
        _chooser = new HostChooser(configuration, _store, _fleet, _counters, guard, sessions, time, random);
        // The first subscriber: a connection that is opened while the others run must not reach the lost host.
        var created = new CreatedConnections(_chooser, _store);
        _store.Changed += guard.OnChanged;
        _store.Changed += new TopologyWatcher(_fleet, _counters, logger).OnChanged;
        var cutter = new ConnectionCutter(configuration, _listener, time, logger);
        _fencedWriters = new FencedWriters(_store, _fleet, cutter, time, logger);
        _store.Changed += _fencedWriters.OnChanged;
        _failures = new FailureReporter(_store);
        var leases = new LeaseOpener(_store, _listener, new IdleCheck(configuration.AskIdleAfter, time), time);
        var verifier = new ConnectionVerifier(configuration, _store, new PrimaryProof(configuration, _store, _fleet, leases, time), time);
        _opener = new ConnectionOpener(_store, _chooser, leases, verifier, _failures, guard, _counters, created, time);
        var rules = new RetryRules(_store, _failures, _counters, time, logger);
        _outcomes = new OutcomeResolver(configuration, _store, _opener, time);
        _executor = new Executor(_store, _opener, rules, _outcomes, new LostAnswers(configuration, _store, time), new Hedging(configuration.Routes, _counters, PreciseTime.Of(time)), time, random);
        _operator = new Operator(configuration, _store, _fleet, _listener, _counters, time, logger);
        _status = new RouterStatus(_store, _fleet, _listener, _counters, time);
        _meter = new RouterMeter(meterFactory, configuration, _store, _fleet, _listener, _chooser, _counters, time);
        _telemetry = new OperationTelemetry(_meter.OperationDuration, configuration.Name, time);
        _live = new LiveTopology(configuration, _fleet, _store, createProbe, new Retirement(configuration, cutter, time, logger), _counters, time, logger);
        _sources = [.. configuration.Sources.Select(source => new SourceMonitor(source, _live, _store, _fleet, configuration.Discovery, _counters, time, random, logger))];
        foreach (var host in _fleet.All) host.Monitor.Start();
        foreach (var source in _sources) source.Start();
        if (NpgsqlCheck.Missing.Count > 0) Log.NpgsqlLacks(logger, typeof(NpgsqlConnection).Assembly.GetName().Version, string.Join(", ", NpgsqlCheck.Missing));
        if (DiscoveredLogin.IsUnguarded(configuration)) Log.SourcesAreTrusted(logger, configuration.Hosts[0].Source);
        _store.Changed += OnDoubt;
        _stalls = new StallWatch(_fleet, _listener, time);
        _idleDatabases = new IdleDatabases(_listener, created, time, logger);
    }

    public override DatabaseRouter ForDatabase(string database)
    {
        ArgumentException.ThrowIfNullOrEmpty(database);
        // PostgreSQL truncates longer names, which would lead to another database. Source: manual, "Identifiers and Key Words".
        if (Encoding.UTF8.GetByteCount(database) > LongestName || database.Contains('\0', StringComparison.Ordinal))
            throw new ArgumentException($"A database name must have at most {LongestName} bytes, none of them 0.", nameof(database));
        if (_configuration.SingleServer is not null) throw new NotSupportedException("A router from DatabaseRouter.ForSingleServer supports only the database of its data source.");
        ThrowIfDisposed();
        // A connection string without a database leads to the database named after the user.
        if (_configuration.Hosts.All(host => (host.Connection.Database ?? host.Connection.Username) == database)) return _cluster;
        return _cluster._databases.GetOrAdd(database, static (name, cluster) => new(() => cluster.NewRouterOf(name)), _cluster).Value;
    }

    /// <summary>Returns a copy of this router that shares its parts and connects to another database.</summary>
    private ClusterRouter NewRouterOf(string database)
    {
        var (copy, other) = ((ClusterRouter)MemberwiseClone(), new Database(database, _configuration.Routes.Length, _time));
        copy._configuration = _configuration.For(other);
        _idleDatabases.Add(other);
        return copy;
    }

    public override void Reload(DatabaseRouterOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ThrowIfDisposed();
        var next = RouterConfigurationBuilder.Build(options);
        _live.Configure(next.Hosts);
        if (!next.EqualsBeyondHosts(_cluster._configuration)) Log.RestartNeeded(_logger);
    }

    /// <summary>Reads options and reloads them. Logs faults, because no caller waits for the result.</summary>
    public void TryReload(Func<DatabaseRouterOptions> read)
    {
        try
        {
            Reload(read());
        }
        catch (ObjectDisposedException)
        {
            // The application is shutting down.
        }
        catch (Exception e)
        {
            // Messages of other code can quote configuration values.
            Log.ConfigurationRefused(_logger, e is DatabaseRouterConfigurationException ? e.Message : $"reading it failed with {e.GetType().Name}");
        }
    }

    /// <summary>Keeps a subscription to configuration changes until the router is disposed.</summary>
    public void Follow(IDisposable changes) => _changes.Add(changes);

    public override NpgsqlDataSource GetClient(DatabaseRoute route, OperationOptions? options = null)
    {
        var plan = Undisposed(_configuration).PlanOf(route);
        if (options is null && DatabaseSession.Ambient(this) is null && _chooser.TryChoosePlain(plan) is { } plain) return plain.DataSource;
        var pool = SessionOf(options) is { } session ? _opener.Pick(new Attempt(plan, options, session, _time)) : _chooser.Choose(plan, options);
        return pool.DataSource;
    }

    public override ValueTask<NpgsqlConnection> OpenConnectionAsync(DatabaseRoute route, OperationOptions? options = null, CancellationToken cancellationToken = default) =>
        options is null && DatabaseSession.Ambient(this) is null ? OpenPlainAsync(route, cancellationToken) : OpenAsync(route, options, cancellationToken);

    private ValueTask<NpgsqlConnection> OpenPlainAsync(DatabaseRoute route, CancellationToken cancellationToken)
    {
        ThrowIfDisposed();
        return _opener.OpenPlainAsync(_configuration.PlanOf(route), cancellationToken);
    }

    private async ValueTask<NpgsqlConnection> OpenAsync(DatabaseRoute route, OperationOptions? options, CancellationToken cancellationToken) =>
        (await _opener.OpenAsync(NewAttempt(route, options), async: true, cancellationToken).ConfigureAwait(false)).Connection;

    public override NpgsqlConnection OpenConnection(DatabaseRoute route, OperationOptions? options = null) =>
        _opener.OpenAsync(NewAttempt(route, options), async: false, CancellationToken.None).Wait().Connection;

    public override Task<T> ExecuteAsync<T>(
        DatabaseRoute route, Func<NpgsqlConnection, CancellationToken, Task<T>> work, OperationOptions? options = null, CancellationToken cancellationToken = default) =>
        ExecuteAsync(route, static (connection, work, ct) => work(connection, ct), Given(work), options, cancellationToken);

    public override Task<T> ExecuteAsync<TState, T>(
        DatabaseRoute route, Func<NpgsqlConnection, TState, CancellationToken, Task<T>> work, TState state, OperationOptions? options = null, CancellationToken cancellationToken = default) =>
        RunAsync("execute", NewAttempt(route, options), new AsyncWork<TState, T>(Given(work), state), cancellationToken);

    public override Task ExecuteAsync(
        DatabaseRoute route, Func<NpgsqlConnection, CancellationToken, Task> work, OperationOptions? options = null, CancellationToken cancellationToken = default) =>
        ExecuteAsync(route, static (connection, work, ct) => work(connection, ct), Given(work), options, cancellationToken);

    public override Task ExecuteAsync<TState>(
        DatabaseRoute route, Func<NpgsqlConnection, TState, CancellationToken, Task> work, TState state, OperationOptions? options = null, CancellationToken cancellationToken = default) =>
        RunAsync("execute", NewAttempt(route, options), new AsyncWork<TState>(Given(work), state), cancellationToken);

    public override T Execute<T>(DatabaseRoute route, Func<NpgsqlConnection, T> work, OperationOptions? options = null) =>
        Execute(route, static (connection, work) => work(connection), Given(work), options);

    public override void Execute(DatabaseRoute route, Action<NpgsqlConnection> work, OperationOptions? options = null) =>
        Execute(route, static (connection, work) =>
        {
            work(connection);
            return true;
        }, Given(work), options);

    public override T Execute<TState, T>(DatabaseRoute route, Func<NpgsqlConnection, TState, T> work, TState state, OperationOptions? options = null)
    {
        var (attempt, unit) = (NewAttempt(route, options), new SyncWork<TState, T>(Given(work), state));
        return _telemetry.IsEnabled ? Measured("execute", attempt, unit) : _executor.Execute(attempt, unit);
    }

    public override Task<T> WithTransactionAsync<T>(
        Func<NpgsqlTransaction, CancellationToken, Task<T>> work, OperationOptions? options = null, CancellationToken cancellationToken = default) =>
        WithTransactionAsync(static (transaction, work, ct) => work(transaction, ct), Given(work), options, cancellationToken);

    public override Task<T> WithTransactionAsync<TState, T>(
        Func<NpgsqlTransaction, TState, CancellationToken, Task<T>> work, TState state, OperationOptions? options = null, CancellationToken cancellationToken = default)
    {
        var attempt = NewAttempt(DatabaseOperation.Transactional, options);
        return RunAsync("transaction", attempt, new TransactionWork<TState, T>(Given(work), state, attempt.IsolationLevel, _outcomes), cancellationToken);
    }

    public override Task WithTransactionAsync(
        Func<NpgsqlTransaction, CancellationToken, Task> work, OperationOptions? options = null, CancellationToken cancellationToken = default) =>
        WithTransactionAsync(static (transaction, work, ct) => work(transaction, ct), Given(work), options, cancellationToken);

    public override Task WithTransactionAsync<TState>(
        Func<NpgsqlTransaction, TState, CancellationToken, Task> work, TState state, OperationOptions? options = null, CancellationToken cancellationToken = default) =>
        WithTransactionAsync(static async (transaction, given, ct) =>
        {
            await given.Work(transaction, given.State, ct).ConfigureAwait(false);
            return true;
        }, (Work: Given(work), State: state), options, cancellationToken);

    public override RoutedDataSource GetDataSource(DatabaseRoute route, OperationOptions? options = null)
    {
        _configuration.PlanOf(route);   // an unknown route fails here rather than at the first open
        return new ClusterDataSource(this, route, options);
    }

    public override DatabaseSession BeginSession(string? token = null) => Merged(DatabaseSession.Begin(this, _tokens, null), token);

    public override DatabaseSession CreateSession(string? token = null) => Merged(DatabaseSession.Create(this, _tokens), token);

    public override DatabaseSession? CurrentSession => DatabaseSession.Ambient(this);

    public override IDisposable BeginRoute(DatabaseRoute route)
    {
        _configuration.PlanOf(route);   // an unknown route fails here rather than at the first open
        return RouteScope.Begin(this, route);
    }

    /// <summary>The route stated for the calling code: by the innermost scope, else by the origin of its session.</summary>
    public DatabaseRoute? AmbientRoute => RouteScope.Ambient(this) ?? DatabaseSession.Ambient(this)?.Origin?.Route;

    /// <summary>Begins an ambient session that reads its tokens at its first use.</summary>
    public DatabaseSession BeginSessionFrom(SessionOrigin origin) => Merged(DatabaseSession.Begin(this, _tokens, origin), null);

    /// <summary>Counts a token that the web package found to be damaged, forged or too old. Logs at most one a minute.</summary>
    public void IgnoreToken(string reason) => _tokens.Ignore(reason);

    /// <summary>Whether at least one host can serve the route now.</summary>
    public bool CanServe(DatabaseRoute route) => _chooser.CanServe(_configuration.PlanOf(route));

    /// <summary>Explains which hosts would serve the route now, and why the others would not.</summary>
    public RouteExplanation Explain(DatabaseRoute route, OperationOptions? options) => _chooser.Explain(_configuration.PlanOf(route), options);

    public override DatabaseRouterMetrics GetMetrics() => _status.Metrics();

    public override IReadOnlyDictionary<string, HostHealth> GetHealthStatus() => _status.Health();

    public override async Task ForceFailoverToPrimaryAsync(TimeSpan? duration = null, CancellationToken cancellationToken = default)
    {
        var limit = duration ?? _configuration.ForcedFailoverDuration;
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(limit, TimeSpan.Zero, nameof(duration));
        ThrowIfDisposed();
        await _chooser.WaitUntilSettledAsync(cancellationToken).ConfigureAwait(false);
        _operator.ForceToPrimary(limit);
    }

    public override Task DrainAsync(string host, CancellationToken cancellationToken = default) => Undisposed(_operator).DrainAsync(host, cancellationToken);

    public override Task RestoreAsync(string host, CancellationToken cancellationToken = default)
    {
        ThrowIfDisposed();
        cancellationToken.ThrowIfCancellationRequested();
        _operator.Restore(host);
        return Task.CompletedTask;
    }

    public override HostAcceptance PreviewAccept(string host) => Undisposed(_operator).PreviewAccept(host);

    public override Task<HostAcceptance> AcceptAsync(string host, CancellationToken cancellationToken = default)
    {
        ThrowIfDisposed();
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult(_operator.Accept(host));
    }

    public override Task WaitUntilReadyAsync(CancellationToken cancellationToken = default) => WaitUntilReadyAsync(Timeout.InfiniteTimeSpan, cancellationToken);

    internal override Task WaitUntilReadyAsync(TimeSpan timeout, CancellationToken cancellationToken = default) =>
        Undisposed(_operator).WaitUntilReadyAsync(timeout, cancellationToken);

    protected override async ValueTask DisposeCoreAsync()
    {
        // The router of a further database is disposed with its cluster's router.
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

    /// <summary>Returns the log category of a router; a null name is the unnamed router.</summary>
    public static string LogCategoryOf(string? name) => name is null ? s_category : $"{s_category}.{name}";

    /// <summary>Creates a closed connection to a host that is chosen now. It counts as in use once it is opened.</summary>
    public NpgsqlConnection CreateConnection(DatabaseRoute route, OperationOptions? options) => _opener.Create(NewAttempt(route, options));

    public bool IsReadOnly(DatabaseRoute route) => _configuration.PlanOf(route).IsReadOnly;

    /// <summary>The current timestamp of the router's clock.</summary>
    public long Timestamp => _time.GetTimestamp();

    /// <summary>Reports a failure of a connection that a caller got at <paramref name="openedAt"/>. Later observations of its host outweigh the failure.</summary>
    /// <returns>The attempt whose host a retry must avoid; null if the host did not cause the failure.</returns>
    public FailedAttempt? Report(string? host, int port, DatabaseRoute route, Exception exception, long openedAt, FailureSite site)
    {
        var index = _configuration.PlanOf(route).Index;
        var pool = _fleet.All.Select(pools => pools.All[index]).FirstOrDefault(pool => pool.Host.Connection.Port == port && pool.Host.Connection.Host == host);
        return pool is not null && _failures.Report(exception, pool, openedAt, site) ? new FailedAttempt(pool.Host, exception, _time.GetTimestamp()) : null;
    }

    /// <summary>Opens a connection, preferably on another host than the one that failed. Without <paramref name="async"/>, it completes synchronously.</summary>
    public async ValueTask<NpgsqlConnection> OpenElsewhereAsync(
        DatabaseRoute route, OperationOptions? options, FailedAttempt failure, bool async, CancellationToken cancellationToken)
    {
        var attempt = NewAttempt(route, options);
        attempt.Exclude(failure.Host, failure.Exception, failure.FailedAt);
        return (await _opener.OpenAsync(attempt, async, cancellationToken).ConfigureAwait(false)).Connection;
    }

    /// <summary>Determines the outcome of a transaction whose COMMIT got no answer, within the time that a write waits for a primary.</summary>
    public Task<TransactionOutcome> ResolveInTimeAsync(TransactionMark mark, OperationOptions? options, CancellationToken cancellationToken) =>
        _outcomes.ResolveInTimeAsync(mark, SessionOf(options), cancellationToken);

    public OutcomeResolver Outcomes => _outcomes;

    public TopologyStore Store => _store;

    public TopologySnapshot Topology => _store.Current;

    private Task<T> RunAsync<T>(string name, Attempt attempt, Work<T> work, CancellationToken cancellationToken) =>
        _telemetry.IsEnabled ? MeasuredAsync(name, attempt, work, cancellationToken) : _executor.ExecuteAsync(attempt, work, cancellationToken);

    private T Measured<T>(string name, Attempt attempt, Work<T> work) => _telemetry.Run(name, attempt.Plan, () => attempt.Host, () => _executor.Execute(attempt, work));

    private static TDelegate Given<TDelegate>(TDelegate work, [CallerArgumentExpression(nameof(work))] string? name = null)
        where TDelegate : Delegate
    {
        ArgumentNullException.ThrowIfNull(work, name);
        return work;
    }

    // A separate method, so that its closures are allocated only when operations are measured.
    private Task<T> MeasuredAsync<T>(string name, Attempt attempt, Work<T> work, CancellationToken cancellationToken) =>
        _telemetry.RunAsync(name, attempt.Plan, () => attempt.Host, () => _executor.ExecuteAsync(attempt, work, cancellationToken));

    /// <summary>The pools of each current host.</summary>
    public IEnumerable<HostPools> Pools => _fleet.Hosts;

    /// <summary>The number of connections that could not be opened for callers, and the latest kinds of failures.</summary>
    public (long NotOpened, OperationFailure[] Last) Failures => (_counters[RouterEvent.NotOpened], _counters.Failures.Last());

    /// <summary>All routes, ordered by index.</summary>
    public ImmutableArray<RoutePlan> Routes => _configuration.Routes;

    /// <summary>The last result of each discovery source; null for a source that has not answered yet.</summary>
    public IEnumerable<SourceReport?> SourceReports => _sources.Select(source => source.Last);

    /// <summary>Queries the discovery sources when the primary is lost or a host contradicts them: they may know more by now.</summary>
    private void OnDoubt(TopologySnapshot before, TopologySnapshot after)
    {
        var isContradicted = (after.Belief.Contradicted & ~before.Belief.Contradicted) != 0;
        if (!isContradicted && (before.Primary is null || after.Primary is not null)) return;
        foreach (var source in _sources) source.Wake();
    }

    private Attempt NewAttempt(DatabaseRoute route, OperationOptions? options) => new(Undisposed(_configuration).PlanOf(route), options, SessionOf(options), _time);

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

    private T Undisposed<T>(T part)
    {
        ThrowIfDisposed();
        return part;
    }

    private void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(Volatile.Read(ref _cluster._isDisposed) != 0, this);
}
