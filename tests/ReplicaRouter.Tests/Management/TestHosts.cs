using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace ReplicaRouter.Tests.Management;

/// <summary>The parts of a router that know its hosts, without a server. The test publishes answers and moves the clock.</summary>
internal sealed class TestHosts : IDisposable
{
    public TestHosts(params string[] hosts) : this(_ => { }, hosts) { }

    public TestHosts(Action<DatabaseRouterOptions> configure, params string[] hosts)
    {
        var options = TestTopology.OptionsFor(hosts);
        configure(options);
        Configuration = RouterConfigurationBuilder.Build(options);
        Store = new TopologyStore(TopologySnapshot.Initial(Configuration), Time);
        Counters = new RoutingCounters(Configuration.Routes, Configuration.Sources);
        var factory = new DataSourceFactory(Configuration, NullLoggerFactory.Instance);
        Registry = new HostRegistry(Configuration, Store, Listener, Probe, factory, Time, new Random(1), Log);
        foreach (var host in Configuration.Hosts) Registry.Add(host);
    }

    public FakeTimeProvider Time { get; } = new();
    public RecordingLogger Log { get; } = new();
    public CommandListener Listener { get; } = new();
    public RouterConfiguration Configuration { get; }
    public TopologyStore Store { get; }
    public RoutingCounters Counters { get; }
    public HostRegistry Registry { get; }

    /// <summary>The pools to a host.</summary>
    public HostPools this[string host] => Registry.PoolsOf(Snapshot(host).Configuration);

    public HostSnapshot Snapshot(string host) => Store.Current.Hosts.Single(each => each.Name == host);

    /// <summary>Creates a probe of a host that was added, whose monitor runs.</summary>
    public static FakeProbe Probe(HostConfiguration host) => FakeProbe.Of(host.IsConfiguredPrimary ? TestTopology.Primary(1) : TestTopology.Replica(1));

    public TestHosts Answer(string host, HostAnswer answer) => Publish(host, answer, null);

    public TestHosts Fail(string host, FailureKind kind) => Publish(host, null, new HostFailure(kind, kind.ToString()));

    public TestHosts Advance(double seconds)
    {
        Time.Advance(TimeSpan.FromSeconds(seconds));
        return this;
    }

    /// <summary>Moves the clock in steps of 0.1 s until a condition holds.</summary>
    public async Task UntilAsync(Func<bool> condition)
    {
        for (var step = 0; step < 5000 && !condition(); step++)
        {
            Advance(0.1);
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }

        Assert.True(condition(), "The condition never became true.");
    }

    /// <summary>Has a pool count a connection that is open and idle.</summary>
    public static async Task ConnectAsync(HostPool pool)
    {
        var lease = pool.TryTake()!.Value;
        await lease.Source.CountLoginAsync(Task.CompletedTask, isExpected: true);
        lease.Source.Throttle.Leave();
    }

    /// <summary>Whether a pool still counts an idle connection. Without one, its next caller must log in.</summary>
    public static bool HasIdle(HostPool pool)
    {
        var lease = pool.TryTake()!.Value;
        if (lease.IsLogin) lease.Source.Throttle.OnLoginEnded(isConnected: false);
        lease.Source.Throttle.Leave();
        return !lease.IsLogin;
    }

    public void Dispose()
    {
        Listener.Dispose();
        Log.Dispose();
    }

    private TestHosts Publish(string host, HostAnswer? answer, HostFailure? failure)
    {
        var now = Time.GetTimestamp();
        Store.Publish(new HostObservation(Snapshot(host).Configuration.Index, now, now, answer, failure));
        return this;
    }
}
