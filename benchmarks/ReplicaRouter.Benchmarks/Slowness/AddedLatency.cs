using ReplicaRouter.Benchmarks.Arms;
using ReplicaRouter.Checks;
using ReplicaRouter.Testing;

namespace ReplicaRouter.Benchmarks.Slowness;

/// <summary>Adds network latency to the victims. All servers are behind the same kind of proxy, so that all arms and hosts pay its cost.</summary>
internal sealed class AddedLatency : IImpediment
{
    private readonly ProxiedCluster _proxies;
    private readonly TimeSpan _roundTrip;
    private IReadOnlyList<LocalServer> _victims = [];

    /// <param name="cluster">The servers.</param>
    /// <param name="roundTrip">Latency added to a round trip to a victim, half of it each way.</param>
    public AddedLatency(LocalCluster cluster, TimeSpan roundTrip)
    {
        (_proxies, _roundTrip) = (new(cluster), roundTrip);
        Reach = Reach.Directly(cluster) with { PortOf = server => _proxies[server].Port };
    }

    public Reach Reach { get; }

    public void Begin(IReadOnlyList<LocalServer> victims)
    {
        _victims = victims;
        foreach (var victim in victims) _proxies[victim].Delay(_roundTrip / 2);
    }

    public void End()
    {
        foreach (var victim in _victims) _proxies[victim].Heal();
    }

    public ValueTask DisposeAsync() => _proxies.DisposeAsync();
}
