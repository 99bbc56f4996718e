using System.Collections.Immutable;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ReplicaRouter;

/// <summary>The parts of a router, tied together: which part knows which stands here.</summary>
internal sealed class RouterParts : IAsyncDisposable
{
    private readonly RouterConfiguration _configuration;
    private readonly CommandListener _listener = new();
    private readonly FencedWriters _fencedWriters;
    private readonly StallWatch _stalls;
    private readonly RouterMeter _meter;

    public RouterParts(
        RouterConfiguration configuration, ILoggerFactory loggerFactory, ILogger logger, TimeProvider time, Random random,
        Func<HostConfiguration, IHostProbe>? createProbe, IMeterFactory? meterFactory)
    {
        (_configuration, Time, Logger) = (configuration, time, logger);
        createProbe ??= host => new NpgsqlHostProbe(host, configuration.Health.Timeout, time, configuration.Login);

        Store = new TopologyStore(TopologySnapshot.Initial(configuration), time);
        Counters = new RoutingCounters(configuration.Routes, configuration.Sources);
        var limit = new ConcurrencyLimit(configuration.LeastPrimaryReads, configuration.PrimaryReads, configuration.Routes.Length, time);
        var guard = new PrimaryGuard(limit, configuration.PrimaryReadsPerSecond, time);
        HostRegistry = new HostRegistry(configuration, Store, _listener, createProbe, new DataSourceFactory(configuration, loggerFactory), time, random, logger) { Measured = guard.Record };
        foreach (var host in configuration.Hosts) HostRegistry.Add(host);

        var sessions = new SessionWatcher(Counters, time, logger);
        Tokens = new SessionTokens(configuration, Store, HostRegistry.ProbeNowAsync, sessions, time);
        Chooser = new HostChooser(configuration, Store, HostRegistry, Counters, guard, sessions, time, random);

        var created = new CreatedConnections(Chooser);
        // The first subscriber: a connection that is opened while the others run must not reach the lost host.
        Store.Changed += created.OnChanged;
        Store.Changed += guard.OnChanged;
        Store.Changed += new TopologyWatcher(HostRegistry, Counters, logger).OnChanged;
        var cutter = new ConnectionCutter(configuration, _listener, time, logger);
        _fencedWriters = new FencedWriters(Store, HostRegistry, cutter, time, logger);
        Store.Changed += _fencedWriters.OnChanged;

        Failures = new FailureReporter(Store);
        var leases = new LeaseOpener(Store, _listener, new IdleCheck(configuration.AskIdleAfter, time), time);
        var verifier = new ConnectionVerifier(configuration, Store, new PrimaryProof(configuration, Store, HostRegistry, leases, time), time);
        Opener = new ConnectionOpener(Store, Chooser, leases, verifier, Failures, guard, Counters, created, time);

        Outcomes = new OutcomeResolver(configuration, Store, Opener, time);
        var rules = new RetryRules(Store, HostRegistry, Failures, Counters, time, logger);
        var hedging = new Hedging(configuration.Routes, Counters, PreciseTime.Of(time));
        Executor = new Executor(Store, Opener, rules, Outcomes, new LostAnswers(configuration, Store, time), hedging, time, random);

        Operator = new Operator(configuration, Store, HostRegistry, _listener, Counters, time, logger);
        Status = new RouterStatus(Store, HostRegistry, _listener, Counters, time);
        _meter = new RouterMeter(meterFactory, configuration, Store, HostRegistry, _listener, Chooser, Counters, time);
        Telemetry = new OperationTelemetry(_meter.OperationDuration, configuration.Name, time);

        Live = new LiveTopology(configuration, HostRegistry, Store, createProbe, new ConnectionDrain(configuration, cutter, time, logger), Counters, time, logger);
        Sources = [.. configuration.Sources.Select(source => new SourceMonitor(source, Live, Store, HostRegistry, configuration.Discovery, Counters, time, random, logger))];
        _stalls = new StallWatch(HostRegistry, _listener, time);
        IdleDatabases = new IdleDatabases(_listener, created, time, logger);
        Start();
    }

    public TimeProvider Time { get; }
    public ILogger Logger { get; }
    public TopologyStore Store { get; }
    public HostRegistry HostRegistry { get; }
    public RoutingCounters Counters { get; }
    public SessionTokens Tokens { get; }
    public HostChooser Chooser { get; }
    public FailureReporter Failures { get; }
    public ConnectionOpener Opener { get; }
    public OutcomeResolver Outcomes { get; }
    public Executor Executor { get; }
    public Operator Operator { get; }
    public RouterStatus Status { get; }
    public OperationTelemetry Telemetry { get; }
    public LiveTopology Live { get; }
    public ImmutableArray<SourceMonitor> Sources { get; }
    public IdleDatabases IdleDatabases { get; }

    /// <summary>What ends with the router.</summary>
    public List<IDisposable> Owned { get; } = [];

    private void Start()
    {
        Store.Changed += AskSourcesInDoubt;
        foreach (var host in HostRegistry.All) host.Monitor.Start();
        foreach (var source in Sources) source.Start();
        _stalls.Start();
        if (NpgsqlCheck.Missing.Count > 0) Log.NpgsqlLacks(Logger, typeof(NpgsqlConnection).Assembly.GetName().Version, string.Join(", ", NpgsqlCheck.Missing));
        if (DiscoveredLogin.IsUnguarded(_configuration)) Log.SourcesAreTrusted(Logger, _configuration.Hosts[0].Source);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var owned in Owned) owned.Dispose();
        Store.Close();
        _meter.Dispose();
        await Task.WhenAll(Sources.Select(source => source.DisposeAsync().AsTask())).ConfigureAwait(false);
        await Live.DisposeAsync().ConfigureAwait(false);
        await _fencedWriters.DisposeAsync().ConfigureAwait(false);
        await _stalls.DisposeAsync().ConfigureAwait(false);
        await IdleDatabases.DisposeAsync().ConfigureAwait(false);
        await Task.WhenAll(HostRegistry.All.Select(host => host.Monitor.DisposeAsync().AsTask())).ConfigureAwait(false);
        _listener.Dispose();
        if (_configuration.SingleServer is not null) return;
        foreach (var source in HostRegistry.All.SelectMany(host => host.Sources)) await source.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Asks the discovery sources when the primary is lost, or a host contradicts them: they may know more by now.</summary>
    private void AskSourcesInDoubt(TopologySnapshot before, TopologySnapshot after)
    {
        var isContradicted = (after.Belief.Contradicted & ~before.Belief.Contradicted) != 0;
        if (!isContradicted && (before.Primary is null || after.Primary is not null)) return;
        foreach (var source in Sources) source.Wake();
    }
}
