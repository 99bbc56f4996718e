using Microsoft.Extensions.Logging;

namespace ReplicaRouter.Management;

/// <summary>Reacts to changes between two snapshots: logs them, counts failovers, drops connections to the wrong server.</summary>
internal sealed class TopologyWatcher(HostRegistry registry, RoutingCounters counters, ILogger logger)
{
    // Hosts, one bit each, already logged because the pools of all processes can exceed max_connections. Once is enough.
    private ulong _warned;

    // The last known primary, kept while there is none. Monitors publish concurrently, hence the exchange.
    private HostSnapshot? _lastPrimary;

    public void OnChanged(TopologySnapshot before, TopologySnapshot after)
    {
        foreach (var host in after.Hosts)
        {
            // A host that was just added has no earlier state.
            if (before.Find(host.Configuration) is { } known) OnHost(known, host, registry.PoolsOf(host.Configuration));
        }

        OnBelief(before, after);
        if (before.Primary?.Configuration.Index != after.Primary?.Configuration.Index) OnPrimary(before.Primary, after.Primary, after);
    }

    private void OnBelief(TopologySnapshot before, TopologySnapshot after)
    {
        var isReplaced = before.SystemIdentifier is { } former && former != after.SystemIdentifier;
        if (!isReplaced && after.Timeline >= before.Timeline) return;
        if (isReplaced) Log.IdentityGivenUp(logger, before.SystemIdentifier!.Value, after.SystemIdentifier);
        else Log.TimelineGivenUp(logger, before.Timeline, after.Timeline);
        // Positions must be learned again.
        registry.Wake(ulong.MaxValue);
    }

    private void OnHost(HostSnapshot before, HostSnapshot after, HostPools pools)
    {
        var isOther = before.Answer is { } former && former.Server != after.Answer?.Server;
        var isLost = before.IsServing && !after.IsServing;
        if (isOther || isLost || (before.Role != after.Role && before.Role != HostRole.Unknown)) pools.Clear();
        if (before.Probation.IsOut && !after.Probation.IsOut) pools.Load.ForgetLatency();
        if (after.IsLost && !before.IsLost) pools.Lost.Raise();
        if (after.Answer?.Types is { } types) pools.KnowTypes(types);
        if (before.Answer?.Probers != after.Answer?.Probers || before.Role != after.Role) WarnOfPools(after, pools);
        if (IsReachedAgain(before, after)) pools.Superseded.Raise();
        if (before.State == after.State) return;
        counters.CountState(after.Configuration, after.State);
        if (isLost || after.IsWarmOnly) pools.LoginsRefused.Raise();
        LogState(before, after);
    }

    /// <summary>Whether a probe reached the same server over a new connection: the former one broke or fell silent, and callers' connections may have done the same.</summary>
    private static bool IsReachedAgain(HostSnapshot before, HostSnapshot after) =>
        before.Answer is { } former && after.Answer is { } now && former.Server == now.Server && now.ConnectedAt > former.ConnectedAt;

    /// <summary>Warns if pools can exceed max_connections. One process's default pools fit PostgreSQL's default of 100; probes count the processes on the server.</summary>
    private void WarnOfPools(HostSnapshot host, HostPools pools)
    {
        if (host.Answer is not { MaxConnections: > 0 } answer || host.Role == HostRole.Unknown) return;
        var routes = pools.All.Select(pool => pool.Plan).Where(plan => host.Role == HostRole.Primary || plan.IsReadOnly);
        var most = routes.Sum(plan => plan.Pool.MostConnections(host.Configuration.Connection)) * answer.Probers;
        if (most <= answer.MaxConnections || (Interlocked.Or(ref _warned, host.Configuration.Bit) & host.Configuration.Bit) != 0) return;
        Log.PoolsExceedServer(logger, host.Name, most, answer.Probers, answer.MaxConnections);
    }

    private void LogState(HostSnapshot before, HostSnapshot after)
    {
        switch (after.State)
        {
            case HostState.Healthy: Log.HostRecovered(logger, after.Name, after.State, after.Role, before.State); break;
            case HostState.Down: Log.HostDown(logger, after.Name, before.State, after.Error); break;
            case HostState.Hung: Log.HostHung(logger, after.Name, before.State, after.Error); break;
            case HostState.Restarting: Log.HostRestarting(logger, after.Name, before.State, after.Error); break;
            case HostState.Lagging: Log.HostLagging(logger, after.Name, before.State, after.Error); break;
            case HostState.NoLogins: Log.HostLetsNobodyIn(logger, after.Name, before.State, after.Error); break;
            case HostState.Full: Log.HostFull(logger, after.Name, before.State, after.Error); break;
            case HostState.Recovering: Log.HostRecovering(logger, after.Name, before.State); break;
            case HostState.Misconfigured: Log.HostMisconfigured(logger, after.Name, after.Error); break;
            case HostState.ForeignCluster: Log.HostOfOtherCluster(logger, after.Name, after.Error); break;
            case HostState.Fenced: Log.HostFenced(logger, after.Name, after.Error); break;
            case HostState.OldTimeline: Log.HostOnOldTimeline(logger, after.Name, after.Error); break;
            case HostState.Failing: Log.HostFailing(logger, after.Name, before.State, after.Error); break;
            case HostState.ReadOnly: Log.HostReadOnly(logger, after.Name, before.State, after.Error); break;
            case HostState.SplitBrain: Log.HostInSplitBrain(logger, after.Name, after.Error); break;
            default: Log.HostInDoubt(logger, after.Name, after.State, before.State, after.Error); break;
        }
    }

    private void OnPrimary(HostSnapshot? before, HostSnapshot? after, TopologySnapshot topology)
    {
        if (after is null)
        {
            Log.PrimaryLost(logger, before!.Name);
            // Probe all hosts now, to follow a promoted one at once.
            registry.Wake(ulong.MaxValue);
            return;
        }

        var last = Interlocked.Exchange(ref _lastPrimary, after);
        if (last is null || last.Configuration.IsSameHost(after.Configuration)) return;
        // Another name for the same server, even one that replaced the former in the configuration, is no failover.
        if ((topology.Find(last.Configuration) ?? last).Answer?.Server == after.Answer?.Server) return;
        counters.Count(RouterEvent.Failover);
        var pools = registry.PoolsOf(last.Configuration);
        if (pools.Host.IsSameMember(last.Configuration)) pools.Superseded.Raise();
        Log.PrimaryChanged(logger, after.Name, after.Answer?.Timeline, last.Name);
    }
}
