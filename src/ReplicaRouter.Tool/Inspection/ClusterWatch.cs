using System.Collections.Immutable;
using ReplicaRouter.Tool.CommandLine;

namespace ReplicaRouter.Tool.Inspection;

/// <summary>A router of our own over a cluster, to see it as an application's router does.</summary>
internal sealed class ClusterWatch : IAsyncDisposable
{
    /// <summary>How long the first looks may take; a host that answers nothing takes as long as a probe may.</summary>
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

    /// <summary>Begins to watch, and waits until every host has shown what it can.</summary>
    public static async Task<ClusterWatch> StartAsync(Target target, TimeProvider time, CancellationToken ct)
    {
        var watch = new ClusterWatch(target, time);
        try
        {
            var start = time.GetTimestamp();
            while (!watch.Router.Topology.IsSettled && time.GetElapsedTime(start) < s_settle) await Task.Delay(s_look, time, ct);
            return watch;
        }
        catch
        {
            await watch.DisposeAsync();
            throw;
        }
    }

    /// <summary>Asks every server, all at once.</summary>
    public async Task<ClusterFacts> InspectAsync(int instances, CancellationToken ct)
    {
        var found = await Task.WhenAll(_target.Configuration.Hosts.Select(host => new HostInspector(host, _time).InspectAsync(ct)));
        var health = Router.GetHealthStatus();
        return new ClusterFacts
        {
            Configuration = _target.Configuration,
            Instances = instances,
            Hosts = [.. _target.Configuration.Hosts.Zip(found, (host, answer) => new HostFacts { Host = host, Server = answer.Server, Failure = answer.Failure, Health = health[host.Name] })],
        };
    }

    public ValueTask DisposeAsync() => Router.DisposeAsync();
}
