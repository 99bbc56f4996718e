using Microsoft.Extensions.Time.Testing;

namespace ReplicaRouter.Tests;

/// <summary>A topology of fake hosts. The test supplies their answers and moves the clock.</summary>
internal sealed class TestTopology
{
    public const ulong Cluster = 7000000000000000001;

    public TestTopology(params string[] hosts) : this(_ => { }, hosts) { }

    public TestTopology(Action<DatabaseRouterOptions> configure, params string[] hosts)
    {
        Options = OptionsFor(hosts);
        configure(Options);
        Configuration = RouterConfigurationBuilder.Build(Options);
        Current = TopologySnapshot.Initial(Configuration);
    }

    public FakeTimeProvider Time { get; } = new();
    public DatabaseRouterOptions Options { get; }
    public RouterConfiguration Configuration { get; }
    public TopologySnapshot Current { get; private set; }

    public HostSnapshot this[string host] => Current.Hosts.Single(h => h.Name == host);

    public static DatabaseRouterOptions OptionsFor(params string[] hosts)
    {
        var options = new DatabaseRouterOptions();
        for (var i = 0; i < hosts.Length; i++) options.Hosts[hosts[i]] = new DatabaseHostOptions { ConnectionString = $"postgresql://app:secret@10.0.0.{i + 1}/app" };
        return options;
    }

    public static HostAnswer Primary(ulong lsn, int timeline = 1, ulong cluster = Cluster) => new()
    {
        IsInRecovery = false,
        SystemIdentifier = cluster,
        Timeline = timeline,
        ReplayTimeline = timeline,
        InsertLsn = lsn,
        FlushLsn = lsn,
        AsyncFlushMs = 600,
        ReplayLsn = null,
        ReceiveLsn = null,
        StartedAt = (long)lsn,
        ServerPort = 5432,
    };

    public static HostAnswer Replica(ulong replayed, int? timeline = 1, ulong? received = null, ulong cluster = Cluster) => new()
    {
        IsInRecovery = true,
        SystemIdentifier = cluster,
        Timeline = timeline,
        ReplayTimeline = timeline,
        InsertLsn = null,
        ReplayLsn = replayed,
        ReceiveLsn = received ?? replayed,
        StartedAt = 1,
        ServerPort = 5432,
    };

    public TestTopology Answer(string host, HostAnswer answer) => Answer(host, answer, Time.GetTimestamp());

    /// <summary>Publishes an answer that arrives now to a probe sent at <paramref name="sentAt"/>.</summary>
    public TestTopology Answer(string host, HostAnswer answer, long sentAt)
    {
        Current = Current.With(new HostObservation(this[host].Configuration.Index, sentAt, Time.GetTimestamp(), answer, null), Time);
        return this;
    }

    public TestTopology Fail(string host, FailureKind kind)
    {
        var now = Time.GetTimestamp();
        Current = Current.With(new HostObservation(this[host].Configuration.Index, now, now, null, new HostFailure(kind, kind.ToString())), Time);
        return this;
    }

    public TestTopology Advance(double seconds)
    {
        Time.Advance(TimeSpan.FromSeconds(seconds));
        return this;
    }

    public TestTopology Change(Func<TopologySnapshot, TopologySnapshot> change)
    {
        Current = change(Current);
        return this;
    }

    /// <summary>Returns the current candidates of a route, and why a better group could not serve.</summary>
    public (string Hosts, Verdict Fallback) Candidates(DatabaseRoute route, OperationOptions? options = null)
    {
        var plan = Configuration.PlanOf(route);
        var request = RouteRequest.For(plan, options, Time);
        var choice = HostSelection.Choose(Current, plan, request, Loads(), new Random(1));
        return (string.Join(' ', Current.Hosts.Where(h => (choice.Candidates & h.Configuration.Bit) != 0).Select(h => h.Name)), choice.Fallback);
    }

    public HostLoad[] Loads() => Loads(Configuration.Hosts.Length, Configuration.Routes.Length, Time);

    /// <summary>Returns one load per host, without any work in flight.</summary>
    public static HostLoad[] Loads(int hosts, int routes, TimeProvider time)
    {
        OutlierEjection[] ejections = [.. Enumerable.Range(0, routes).Select(_ => new OutlierEjection(time, EjectionSettings.Default))];
        return [.. Enumerable.Range(0, hosts).Select(host => new HostLoad(host, ejections, time))];
    }
}
