using System.Collections.Immutable;
using ReplicaRouter.Tool.CommandLine;

namespace ReplicaRouter.Tool.Inspection;

/// <summary>The tool's own router for a cluster, which sees it as an application's router does.</summary>
internal sealed class ClusterWatch : IAsyncDisposable
{
    /// <summary>Longest wait for the first probes. A host that does not answer takes a whole probe time-out.</summary>
    private static readonly TimeSpan s_settle = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(50);

    private readonly Target _target;
    private readonly TimeProvider _time;

    private ClusterWatch(Target target, TimeProvider time)
    {
        (_target, _time) = (target, time);
        Router = DatabaseRouter.Create(target.Options);
    }

    public DatabaseRouter Router { get; }

    /// <summary>The configured hosts, and those that discovery sources name.</summary>
    public ImmutableArray<HostConfiguration> Hosts => [.. Router.Engine.Topology.Hosts.Select(host => host.Configuration)];

    private bool IsSettled => Router.Engine.SourceReports.All(report => report is not null) && Router.Engine.Topology.IsSettled;

    /// <summary>Starts a router and waits, for a limited time, until the sources have answered and the first probes have shown every host's state.</summary>
    public static async Task<ClusterWatch> StartAsync(Target target, TimeProvider time, CancellationToken ct)
    {
        var watch = new ClusterWatch(target, time);
        try
        {
            var start = time.GetTimestamp();
            while (!watch.IsSettled && time.GetElapsedTime(start) < s_settle) await Task.Delay(s_look, time, ct);
            return watch;
        }
        catch
        {
            await watch.DisposeAsync();
            throw;
        }
    }

    /// <summary>Inspects all servers concurrently.</summary>
    public async Task<ClusterFacts> InspectAsync(int instances, CancellationToken ct)
    {
        var hosts = Hosts;
        var found = await Task.WhenAll(hosts.Select(host => new HostInspector(host, _time).InspectAsync(ct)));
        var health = Router.GetHealthStatus();
        return new ClusterFacts
        {
            Configuration = _target.Configuration,
            Instances = instances,
            Sources = [.. Router.Engine.SourceReports.Zip(_target.Configuration.Sources, (report, source) => report ?? new SourceReport(source.Name, 0, [], "no answer yet"))],
            // A source can have removed a host in the meantime.
            Hosts =
            [
                .. from pair in hosts.Zip(found)
                   where health.ContainsKey(pair.First.Name)
                   select new HostFacts { Host = pair.First, Server = pair.Second.Server, Failure = pair.Second.Failure, Health = health[pair.First.Name] },
            ],
        };
    }

    public ValueTask DisposeAsync() => Router.DisposeAsync();
}
