using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace ReplicaRouter;

/// <summary>The router of a cluster, or of an additional database of one, which shares its parts. The members delegate to the parts.</summary>
internal sealed class ClusterRouter : DatabaseRouter
{
    private const int LongestName = 63;
    private static readonly string s_category = typeof(DatabaseRouter).FullName!;

    private readonly RouterParts _parts;
    private readonly RouterConfiguration _configuration;
    private readonly ClusterRouter _cluster;
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
        (_configuration, _cluster) = (configuration, this);
        _parts = new RouterParts(configuration, loggerFactory, loggerFactory.CreateLogger(LogCategoryOf(configuration.Name)), timeProvider ?? TimeProvider.System, random ?? Random.Shared, createProbe, meterFactory);
    }

    /// <summary>A router with the parts of another one, whose connections lead to a further database.</summary>
    private ClusterRouter(ClusterRouter cluster, DatabasePools database) =>
        (_parts, _configuration, _cluster) = (cluster._parts, cluster._configuration.For(database), cluster);

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

    private ClusterRouter NewRouterOf(string database)
    {
        var pools = new DatabasePools(database, _configuration.Routes.Length, _parts.Time);
        _parts.IdleDatabases.Add(pools);
        return new ClusterRouter(this, pools);
    }

    public override void Reload(DatabaseRouterOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ThrowIfDisposed();
        var next = RouterConfigurationBuilder.Build(options);
        _parts.Live.Configure(next.Hosts);
        if (!next.EqualsBeyondHosts(_cluster._configuration)) Log.RestartNeeded(_parts.Logger);
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
            Log.ConfigurationRefused(_parts.Logger, e is DatabaseRouterConfigurationException ? e.Message : $"reading it failed with {e.GetType().Name}");
        }
    }

    /// <summary>Keeps a subscription to configuration changes until the router is disposed.</summary>
    public void Follow(IDisposable changes) => _parts.Owned.Add(changes);

    public override NpgsqlDataSource GetClient(DatabaseRoute route, OperationOptions? options = null)
    {
        var plan = Undisposed(_configuration).PlanOf(route);
        if (options is null && DatabaseSession.Ambient(_parts.Tokens) is null && _parts.Chooser.TryChoosePlain(plan) is { } plain) return plain.Source.Value;
        var pool = SessionOf(options) is { } session ? _parts.Opener.Pick(new Attempt(plan, options, session, _parts.Time)) : _parts.Chooser.Choose(plan, options);
        return pool.Source.Value;
    }

    public override ValueTask<NpgsqlConnection> OpenConnectionAsync(DatabaseRoute route, OperationOptions? options = null, CancellationToken cancellationToken = default) =>
        options is null && DatabaseSession.Ambient(_parts.Tokens) is null
            ? _parts.Opener.OpenPlainAsync(Undisposed(_configuration).PlanOf(route), cancellationToken)
            : OpenAsync(route, options, failure: null, async: true, cancellationToken);

    public override NpgsqlConnection OpenConnection(DatabaseRoute route, OperationOptions? options = null) =>
        OpenAsync(route, options, failure: null, async: false, CancellationToken.None).Wait();

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
        return _parts.Telemetry.IsEnabled ? Measured("execute", attempt, unit) : _parts.Executor.Execute(attempt, unit);
    }

    public override Task<T> WithTransactionAsync<T>(
        Func<NpgsqlTransaction, CancellationToken, Task<T>> work, OperationOptions? options = null, CancellationToken cancellationToken = default) =>
        WithTransactionAsync(static (transaction, work, ct) => work(transaction, ct), Given(work), options, cancellationToken);

    public override Task<T> WithTransactionAsync<TState, T>(
        Func<NpgsqlTransaction, TState, CancellationToken, Task<T>> work, TState state, OperationOptions? options = null, CancellationToken cancellationToken = default)
    {
        var attempt = NewAttempt(DatabaseOperation.Transactional, options);
        return RunAsync("transaction", attempt, new TransactionWork<TState, T>(Given(work), state, attempt.IsolationLevel, _parts.Outcomes), cancellationToken);
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

    public override DatabaseSession BeginSession(string? token = null) => Merged(DatabaseSession.Begin(_parts.Tokens, null), token);

    public override DatabaseSession CreateSession(string? token = null) => Merged(DatabaseSession.Create(_parts.Tokens), token);

    public override DatabaseSession? CurrentSession => DatabaseSession.Ambient(_parts.Tokens);

    public override IDisposable BeginRoute(DatabaseRoute route)
    {
        _configuration.PlanOf(route);   // an unknown route fails here rather than at the first open
        return RouteScope.Begin(this, route);
    }

    /// <summary>The route stated for the calling code: by the innermost scope, else by the origin of its session.</summary>
    public DatabaseRoute? AmbientRoute => RouteScope.Ambient(this) ?? DatabaseSession.Ambient(_parts.Tokens)?.Origin?.Route;

    /// <summary>Begins an ambient session that reads its tokens at its first use.</summary>
    public DatabaseSession BeginSessionFrom(SessionOrigin origin) => Merged(DatabaseSession.Begin(_parts.Tokens, origin), null);

    /// <summary>Counts a token that the web package found to be damaged, forged or too old. Logs at most one a minute.</summary>
    public void IgnoreToken(string reason) => _parts.Tokens.Ignore(reason);

    public bool CanServe(DatabaseRoute route) => _parts.Chooser.CanServe(_configuration.PlanOf(route));

    public RouteExplanation Explain(DatabaseRoute route, OperationOptions? options) => _parts.Chooser.Explain(_configuration.PlanOf(route), options);

    public override DatabaseRouterMetrics GetMetrics() => _parts.Status.Metrics();

    public override IReadOnlyDictionary<string, HostHealth> GetHealthStatus() => _parts.Status.Health();

    public override async Task ForceFailoverToPrimaryAsync(TimeSpan? duration = null, CancellationToken cancellationToken = default)
    {
        var limit = duration ?? _configuration.ForcedFailoverDuration;
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(limit, TimeSpan.Zero, nameof(duration));
        ThrowIfDisposed();
        await _parts.Chooser.WaitUntilSettledAsync(cancellationToken).ConfigureAwait(false);
        _parts.Operator.ForceToPrimary(limit);
    }

    public override Task DrainAsync(string host, CancellationToken cancellationToken = default) => Undisposed(_parts.Operator).DrainAsync(host, cancellationToken);

    public override Task RestoreAsync(string host, CancellationToken cancellationToken = default)
    {
        ThrowIfDisposed();
        cancellationToken.ThrowIfCancellationRequested();
        _parts.Operator.Restore(host);
        return Task.CompletedTask;
    }

    public override HostAcceptance PreviewAccept(string host) => Undisposed(_parts.Operator).PreviewAccept(host);

    public override Task<HostAcceptance> AcceptAsync(string host, CancellationToken cancellationToken = default)
    {
        ThrowIfDisposed();
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult(_parts.Operator.Accept(host));
    }

    public override Task WaitUntilReadyAsync(CancellationToken cancellationToken = default) => WaitUntilReadyAsync(Timeout.InfiniteTimeSpan, cancellationToken);

    internal override Task WaitUntilReadyAsync(TimeSpan timeout, CancellationToken cancellationToken = default) =>
        Undisposed(_parts.Operator).WaitUntilReadyAsync(timeout, cancellationToken);

    protected override async ValueTask DisposeCoreAsync()
    {
        // The router of an additional database is disposed with its cluster's router.
        if (_cluster != this || Interlocked.Exchange(ref _isDisposed, 1) != 0) return;
        await _parts.DisposeAsync().ConfigureAwait(false);
    }

    internal override ClusterRouter Engine => this;

    internal override DatabaseRouter Cluster => _cluster;

    internal override string? Name => _configuration.Name;

    /// <summary>Returns the log category of a router; a null name is the unnamed router.</summary>
    public static string LogCategoryOf(string? name) => name is null ? s_category : $"{s_category}.{name}";

    /// <summary>Creates a closed connection to a host that is chosen now. It counts as in use once it is opened.</summary>
    public NpgsqlConnection CreateConnection(DatabaseRoute route, OperationOptions? options) => _parts.Opener.Create(NewAttempt(route, options));

    public bool IsReadOnly(DatabaseRoute route) => _configuration.PlanOf(route).IsReadOnly;

    /// <summary>The current timestamp of the router's clock.</summary>
    public long Timestamp => _parts.Time.GetTimestamp();

    /// <summary>Reports a failure of a connection that a caller got at <paramref name="openedAt"/>. Later observations of its host outweigh the failure.</summary>
    /// <returns>The attempt whose host a retry must avoid; null if the host did not cause the failure.</returns>
    public FailedHost? Report(string? host, int port, DatabaseRoute route, Exception exception, long openedAt, FailureSite site)
    {
        var index = _configuration.PlanOf(route).Index;
        var pool = _parts.HostRegistry.All.Select(pools => pools.All[index]).FirstOrDefault(pool => pool.Host.Connection.Port == port && pool.Host.Connection.Host == host);
        return pool is not null && _parts.Failures.Report(exception, pool, openedAt, site) ? new FailedHost(pool.Host, exception, _parts.Time.GetTimestamp()) : null;
    }

    /// <summary>Opens a connection, preferably on another host than the one that failed, if any. Without <paramref name="async"/>, it completes synchronously.</summary>
    public async ValueTask<NpgsqlConnection> OpenAsync(
        DatabaseRoute route, OperationOptions? options, FailedHost? failure, bool async, CancellationToken cancellationToken)
    {
        var attempt = NewAttempt(route, options);
        if (failure is not null) attempt.Exclude(failure.Host, failure.Exception, failure.FailedAt);
        return (await _parts.Opener.OpenAsync(attempt, async, cancellationToken).ConfigureAwait(false)).Connection;
    }

    /// <summary>Determines the outcome of a transaction whose COMMIT got no answer, within the time that a write waits for a primary.</summary>
    public Task<TransactionOutcome> ResolveInTimeAsync(TransactionMark mark, OperationOptions? options, CancellationToken cancellationToken) =>
        _parts.Outcomes.ResolveInTimeAsync(mark, SessionOf(options), cancellationToken);

    public OutcomeResolver Outcomes => _parts.Outcomes;

    public TopologyStore Store => _parts.Store;

    public TopologySnapshot Topology => _parts.Store.Current;

    private Task<T> RunAsync<T>(string name, Attempt attempt, Work<T> work, CancellationToken cancellationToken) =>
        _parts.Telemetry.IsEnabled ? MeasuredAsync(name, attempt, work, cancellationToken) : _parts.Executor.ExecuteAsync(attempt, work, cancellationToken);

    private T Measured<T>(string name, Attempt attempt, Work<T> work) => _parts.Telemetry.Run(name, attempt.Plan, () => attempt.Host, () => _parts.Executor.Execute(attempt, work));

    private static TDelegate Given<TDelegate>(TDelegate work, [CallerArgumentExpression(nameof(work))] string? name = null)
        where TDelegate : Delegate
    {
        ArgumentNullException.ThrowIfNull(work, name);
        return work;
    }

    // A separate method, so that its closures are allocated only when operations are measured.
    private Task<T> MeasuredAsync<T>(string name, Attempt attempt, Work<T> work, CancellationToken cancellationToken) =>
        _parts.Telemetry.RunAsync(name, attempt.Plan, () => attempt.Host, () => _parts.Executor.ExecuteAsync(attempt, work, cancellationToken));

    /// <summary>The pools of each current host.</summary>
    public IEnumerable<HostPools> Pools => _parts.HostRegistry.Hosts;

    /// <summary>The number of connections that could not be opened for callers, and the latest kinds of failures.</summary>
    public (long NotOpened, OperationFailure[] Last) Failures => (_parts.Counters[RouterEvent.NotOpened], _parts.Counters.Failures.Last());

    public ImmutableArray<RoutePlan> Routes => _configuration.Routes;

    /// <summary>The last result of each discovery source; null for a source that has not answered yet.</summary>
    public IEnumerable<SourceReport?> SourceReports => _parts.Sources.Select(source => source.Last);

    private Attempt NewAttempt(DatabaseRoute route, OperationOptions? options) => new(Undisposed(_configuration).PlanOf(route), options, SessionOf(options), _parts.Time);

    private SessionState? SessionOf(OperationOptions? options)
    {
        options?.Session?.ThrowIfNotOf(_parts.Tokens);
        var session = (options?.Session ?? DatabaseSession.Ambient(_parts.Tokens))?.State;
        if (string.IsNullOrEmpty(options?.SessionToken)) return session;
        session ??= _parts.Tokens.NewState();
        _parts.Tokens.Merge(options.SessionToken, session);
        return session;
    }

    private DatabaseSession Merged(DatabaseSession session, string? token)
    {
        _parts.Counters.Count(RouterEvent.Session);
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
