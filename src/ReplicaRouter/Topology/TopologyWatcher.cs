using System.Collections.Immutable;
using Microsoft.Extensions.Logging;

namespace ReplicaRouter;

/// <summary>Reacts to what changed between two snapshots: logs it, counts failovers, drops connections that lead to the wrong server.</summary>
internal sealed class TopologyWatcher(ImmutableArray<HostPools> pools, RoutingCounters counters, ILogger logger)
{
    // The last primary that there was, through times without one. Monitors publish at once, hence the exchange.
    private HostConfiguration? _lastPrimary;

    public void OnChanged(TopologySnapshot before, TopologySnapshot after)
    {
        for (var i = 0; i < after.Hosts.Length; i++) OnHost(before.Hosts[i], after.Hosts[i]);
        if (before.Primary?.Configuration != after.Primary?.Configuration) OnPrimary(before.Primary, after.Primary);
    }

    private void OnHost(HostSnapshot before, HostSnapshot after)
    {
        var isOther = before.Answer is { } former && former.Server != after.Answer?.Server;
        if (isOther || (before.Role != after.Role && before.Role != HostRole.Unknown) || (before.IsServing && !after.IsServing)) pools[after.Configuration.Index].Clear();
        if (before.State == after.State) return;
        if (after.State is HostState.Healthy) Log.HostRecovered(logger, after.Name, after.State, after.Role, before.State);
        else if (after.State is HostState.Misconfigured or HostState.ForeignCluster or HostState.Fenced or HostState.SplitBrain) Log.HostRefused(logger, after.Name, after.State, after.Error);
        else Log.HostFailed(logger, after.Name, after.State, before.State, after.Error);
    }

    private void OnPrimary(HostSnapshot? before, HostSnapshot? after)
    {
        if (after is null)
        {
            Log.PrimaryLost(logger, before!.Name);
            return;
        }

        var last = Interlocked.Exchange(ref _lastPrimary, after.Configuration);
        if (last is null || last.Index == after.Configuration.Index) return;
        counters.CountFailover();
        Log.PrimaryChanged(logger, after.Name, after.Answer?.Timeline, last.Name);
    }
}
