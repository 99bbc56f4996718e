namespace ReplicaRouter.Opening;

/// <summary>Chooses hosts, and waits where that gives a better choice: for a host that may serve, a position, a replica that is about to catch up.</summary>
internal sealed class HostChooser(
    RouterConfiguration configuration,
    TopologyStore store,
    Fleet fleet,
    RoutingCounters counters,
    PrimaryGuard guard,
    SessionWatcher sessions,
    TimeProvider time,
    Random random)
{
    /// <summary>Times that hosts are asked for positions on behalf of one operation, after which only the probes ask.</summary>
    private const int MaxAsks = 3;

    /// <summary>Timers know milliseconds, and an answer takes less.</summary>
    private static readonly TimeSpan ShortestWait = TimeSpan.FromMilliseconds(2);

    private readonly StartupGate _gate = new(
        store,
        plan => HostSelection.Choose(store.Current, plan, RouteRequest.For(plan, default, time), fleet.Loads, random) is { Host: not null, Fallback: Verdict.Eligible },
        // A little longer than the first probes may take.
        configuration.Health.Timeout + TimeSpan.FromMilliseconds(500),
        configuration.Routes.Length,
        time);

    /// <summary>As long as a replica is waited for before what the session needs is looked at again: there may be another primary by then, or no such position.</summary>
    private static readonly TimeSpan LongestTurn = TimeSpan.FromMilliseconds(250);

    private readonly int[] _waiting = new int[configuration.Routes.Length];

    /// <summary>The host's pool for a plain request, chosen now; null when it takes a closer look. Hosts that are not wanted are excluded by one bit each.</summary>
    public HostPool? TryChoosePlain(RoutePlan plan, ulong excluded = 0)
    {
        if (!_gate.IsOpen) return null;
        var host = HostSelection.ChoosePlain(store.Current, plan, fleet.Loads, random, time, excluded);
        return host < 0 ? null : PoolOf(host, plan);
    }

    /// <summary>The host's pool for a route, chosen now.</summary>
    /// <exception cref="NoEligibleHostException">No host may serve.</exception>
    public HostPool Choose(RoutePlan plan, OperationOptions? options)
    {
        if (!_gate.IsOpen) _gate.WaitAsync(RouteRequest.For(plan, options, time).IsStrong ? null : plan, CancellationToken.None).GetAwaiter().GetResult();
        var request = RouteRequest.For(plan, options, time);
        var topology = store.Current;
        var choice = HostSelection.Choose(topology, plan, request, fleet.Loads, random);
        if (choice.Host is null) throw Eligibility.NoHost(topology, plan, request, time);
        // What is done with a client that was given away can't be counted by operations: there must be a place at the moment that it is given.
        if (!IsFallbackToPrimary(topology, plan, request, choice) || guard.HasPlace(plan.Priority)) return PoolOf(choice, plan);
        counters.Count(RouterEvent.Shed);
        throw Eligibility.NoHost(topology, plan, request, time, whyNotPrimary: WhyNoPlace);
    }

    /// <summary>Whether some host may serve the route at this moment. Counts nothing.</summary>
    public bool CanServe(RoutePlan plan) => HostSelection.Choose(store.Current, plan, RouteRequest.For(plan, default, time), fleet.Loads, random).Host is not null;

    /// <summary>Who would serve the route at this moment, and why not the others. Counts nothing.</summary>
    public RouteExplanation Explain(RoutePlan plan, OperationOptions? options) =>
        RouteExplanation.Of(store.Current, plan, RouteRequest.For(plan, options, time), fleet.Loads, random, time);

    private string WhyNoPlace => $"serves as many reads as it may ({guard.Places} at once) for replicas that can't";

    /// <summary>The host's pool for an operation, chosen once a host may serve it.</summary>
    /// <returns>The pool, and what the operation's session asked of it.</returns>
    /// <exception cref="NoEligibleHostException">No host may serve, and none came within the route's wait.</exception>
    public async ValueTask<(HostPool Pool, SessionDemand Demand)> ChooseAsync(Attempt attempt, CancellationToken cancellationToken)
    {
        if (!_gate.IsOpen) await _gate.WaitAsync(attempt.Request(default, time).IsStrong ? null : attempt.Plan, cancellationToken).ConfigureAwait(false);
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            attempt.ThrowIfExpired(time);
            if (attempt.IsPlain && TryChoosePlain(attempt.Plan) is { } pool)
            {
                LeavePrimary(attempt);
                return (pool, default);
            }

            var topology = store.Current;
            var demand = DemandOf(attempt, topology);
            var choice = Choose(attempt, topology, demand);
            if (attempt.Plan.IsReadOnly && choice.Host is { } target && !demand.Allows(target))
            {
                if (await TryLearnPositionsAsync(attempt, topology, demand, target, cancellationToken).ConfigureAwait(false)) continue;
                // No host tells. The primary needs no position to serve.
                demand = demand.Unmet();
                choice = Choose(attempt, topology, demand);
                if (choice.Host is { } other && !demand.Allows(other)) choice = default;
            }
            else if (choice.Behind != 0 && await TryCatchUpAsync(attempt, topology, demand, choice, cancellationToken).ConfigureAwait(false))
            {
                continue;
            }

            if (choice.Host is null)
            {
                LeavePrimary(attempt);
                await WaitForHostAsync(attempt, topology, demand, choice.Behind != 0, cancellationToken).ConfigureAwait(false);
            }
            else if (await TryEnterAsync(attempt, topology, demand, choice, cancellationToken).ConfigureAwait(false)) return (PoolOf(choice, attempt.Plan), demand);
        }
    }

    /// <summary>A read that falls back to the primary needs a place there.</summary>
    /// <returns>Whether it may go; else it is to choose again, as a replica may be back.</returns>
    private async ValueTask<bool> TryEnterAsync(Attempt attempt, TopologySnapshot topology, SessionDemand demand, Choice choice, CancellationToken cancellationToken)
    {
        if (!IsFallbackToPrimary(topology, attempt.Plan, attempt.Request(demand, time), choice))
        {
            LeavePrimary(attempt);
            return true;
        }

        var ticket = attempt.Ticket ??= guard.Enter(attempt.Plan.Priority, fleet.Loads[choice.Host!.Configuration.Index].Commands.Count);
        if (ticket.Admitted.IsCompleted) return true;
        var left = attempt.RemainingWaitForHost(time);
        if (left <= TimeSpan.Zero || guard.IsTooLate(ticket, left, attempt.Plan.MaxWaiting))
        {
            counters.Count(RouterEvent.Shed);
            LeavePrimary(attempt);
            throw attempt.NoHost(topology, demand, time, WhyNoPlace);
        }

        if (guard.Refill() is { } refill && refill < left) left = refill;
        var since = time.GetTimestamp();
        await store.NewerAsync(topology, left, cancellationToken, or: ticket.Admitted).ConfigureAwait(false);
        attempt.Wait.ForgivesPause(since, left, time);
        return false;
    }

    private static void LeavePrimary(Attempt attempt)
    {
        attempt.Ticket?.Dispose();
        attempt.Ticket = null;
    }

    /// <summary>Whether the primary serves only because replicas can't. An operator's order is obeyed, and a strong read is the primary's own.</summary>
    private static bool IsFallbackToPrimary(TopologySnapshot topology, RoutePlan plan, in RouteRequest request, in Choice choice) =>
        plan.IsReadOnly && !request.IsStrong && choice.Fallback != Verdict.Eligible && ReferenceEquals(choice.Host, topology.Primary)
        && !Eligibility.IsForcedToPrimary(topology, plan, request);

    /// <summary>Waits until enough is known of all hosts to choose by.</summary>
    public Task WaitUntilSettledAsync(CancellationToken cancellationToken) => _gate.WaitAsync(null, cancellationToken);

    private Choice Choose(Attempt attempt, TopologySnapshot topology, in SessionDemand demand) =>
        HostSelection.Choose(topology, attempt.Plan, attempt.Request(demand, time), fleet.Loads, random);

    private HostPool PoolOf(in Choice choice, RoutePlan plan)
    {
        if (choice.Fallback != Verdict.Eligible) counters.CountFallback(plan, choice.Fallback);
        return PoolOf(choice.Host!.Configuration.Index, plan);
    }

    /// <summary>The pool of a host that was chosen for a command.</summary>
    private HostPool PoolOf(int host, RoutePlan plan)
    {
        fleet.Loads[host].Ejection(plan.Index).OnChosen(host);
        return fleet.PoolAt(host, plan);
    }

    private SessionDemand DemandOf(Attempt attempt, TopologySnapshot topology)
    {
        if (attempt.Session is not { } session) return default;
        if (configuration.SessionWindow is { } window) return session.Demand(time.GetUtcNow(), window);
        var demand = session.Demand(topology, attempt.StartedAt);
        sessions.OnFinding(demand.Finding, demand.Floor);
        return demand;
    }

    /// <summary>Asks for the positions of what the session did, and how far the replica is by then, all in one round trip.</summary>
    /// <returns>Whether to choose again.</returns>
    private async Task<bool> TryLearnPositionsAsync(Attempt attempt, TopologySnapshot topology, SessionDemand demand, HostSnapshot target, CancellationToken cancellationToken)
    {
        attempt.Session!.Release();
        var left = attempt.RemainingWaitForHost(time);
        var witnesses = topology.WitnessesFor(demand.Unsettled, demand.IsAcrossTimelines);
        // A host that is lost tells nothing, and an operation that waits for it would not see another one promoted.
        if (!topology.Hosts.Any(host => host.IsServing && (witnesses & host.Configuration.Bit) != 0)) return false;
        if (attempt.Wait.Asks++ >= MaxAsks || left <= TimeSpan.Zero) return false;
        counters.Count(RouterEvent.PositionAsked);
        attempt.Wait.Awaited = target.Configuration.Bit;
        await Task.WhenAll(AskAsync(target.Configuration.Bit, attempt.RemainingCatchUp(time), cancellationToken), AskAsync(witnesses, left, cancellationToken)).ConfigureAwait(false);
        return true;
    }

    /// <summary>Waits for a replica that is expected to have replayed in time what the session needs, rather than to burden the primary.</summary>
    /// <returns>Whether to choose again.</returns>
    private async Task<bool> TryCatchUpAsync(Attempt attempt, TopologySnapshot topology, SessionDemand demand, Choice choice, CancellationToken cancellationToken)
    {
        // Where no other host may serve, there is as much time as there is to wait for a host.
        var left = choice.Host is null ? attempt.RemainingWaitForHost(time) : attempt.RemainingCatchUp(time);
        if (Expected(attempt, topology, demand, choice.Behind, left) is not { } replica) return false;
        counters.Count(RouterEvent.CatchUpWait);
        attempt.Wait.Awaited = replica.Configuration.Bit;
        var turn = TimeSpan.Min(left, LongestTurn);
        var isReached = await fleet.PoolsOf(replica.Configuration).Replay.WaitAsync(demand.Floor.Lsn, turn, cancellationToken).ConfigureAwait(false);
        if (isReached == false) attempt.Wait.Lost |= replica.Configuration.Bit;
        // A position that the primary keeps to itself, or has never reached, is not worth the rest of the wait: the primary's next answer tells.
        var isInDoubt = isReached is null && turn < left && topology.Primary?.Answer!.FlushLsn < demand.Floor.Lsn;
        if (isInDoubt) await AskAsync(topology.Primary!.Configuration.Bit, left - turn, cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <summary>Asks hosts. When the time is up, the caller looks at what is known by then.</summary>
    private Task<bool> AskAsync(ulong hosts, TimeSpan limit, CancellationToken cancellationToken) =>
        fleet.AskAsync(hosts).EndsWithinAsync(TimeSpan.Max(limit, ShortestWait), time, cancellationToken);

    /// <summary>The replica to wait for, chosen like any other host, among those that are expected in time; null when none is.</summary>
    private HostSnapshot? Expected(Attempt attempt, TopologySnapshot topology, in SessionDemand demand, ulong behind, TimeSpan left)
    {
        // Positions that no replica can be proven to reach, as long as no primary tells more.
        if (left < ShortestWait || demand.Floor.Lsn == ulong.MaxValue || demand.Floor.Timeline > topology.Timeline) return null;
        // What the operation needs was written before it began. A replica whose lag is within the whole wait gets there before the wait ends.
        var wait = time.GetElapsedTime(attempt.StartedAt) + left;
        ulong expected = 0;
        foreach (var host in topology.Hosts)
        {
            if ((behind & ~attempt.Wait.Lost & host.Configuration.Bit) == 0 || topology.IsKnownToLagBy(host, wait, time)) continue;
            // The next answer takes as long as the last one did.
            if (fleet.MonitorOf(host.Configuration).LastProbeMs < left.TotalMilliseconds) expected |= host.Configuration.Bit;
        }

        if (expected == 0) return null;
        var request = attempt.Request(demand, time) with { Floor = default };
        return HostSelection.Choose(topology, attempt.Plan, request with { Excluded = request.Excluded | ~expected }, fleet.Loads, random).Host;
    }

    /// <summary>Waits until something is known that may make a host serve. <paramref name="isBehind"/>: a replica would, did it show what the session needs.</summary>
    private async Task WaitForHostAsync(Attempt attempt, TopologySnapshot topology, SessionDemand demand, bool isBehind, CancellationToken cancellationToken)
    {
        ThrowIfHopeless(topology, attempt.Plan);
        if (attempt.Failed?.RefusalBy(topology.Primary) is { } refusal) throw new DatabaseRouterConfigurationException([refusal]);
        // A session that needs what no host shows yet: time to look again.
        if (!demand.Floor.IsNone && !attempt.Wait.HasWoken)
        {
            attempt.Wait.HasWoken = true;
            fleet.Wake(ulong.MaxValue);
        }

        try
        {
            // Beyond what can be served in time, waiting only delays the bad news, and keeps memory.
            if (Interlocked.Increment(ref _waiting[attempt.Plan.Index]) > attempt.Plan.MaxWaiting) throw attempt.NoHost(store.Current, demand, time);
            // Only a primary tells the session where it stands: that is worth the wait of a write.
            var left = attempt.RemainingWaitForHost(time, isBehind && topology.Primary is null ? configuration.PlanOf(DatabaseOperation.Write).Wait : default);
            var since = time.GetTimestamp();
            var isNewer = await store.NewerAsync(topology, left, cancellationToken).ConfigureAwait(false);
            // After a stop of the process all that is known is old, and hosts need a moment to answer.
            if (!attempt.Wait.ForgivesPause(since, left, time) && !isNewer) throw attempt.NoHost(store.Current, demand, time);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting[attempt.Plan.Index]);
        }

        // A host that failed and answers again gets another try, but not from all who wait for it at once, again and again.
        if (attempt.Failed is { } failed && failed.ForgiveAnswered(store.Current)) await Task.Delay(failed.NextBackoff(random), time, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Waiting won't help when every host that may serve says that the configuration is wrong. A server that starts or refuses connections may still come.</summary>
    private static void ThrowIfHopeless(TopologySnapshot topology, RoutePlan plan)
    {
        List<HostSnapshot> refused = [.. topology.Hosts.Where(IsRefused)];
        var isHopeless = refused.Count == topology.Hosts.Length || (refused.Count > 0 && plan.Tiers.All(tier => tier.IsPrimary) && IsPrimaryMissing(topology));
        if (isHopeless) throw new DatabaseRouterConfigurationException([.. refused.Select(host => host.Error!)]);
    }

    /// <summary>Whether all that is let in are standbys, and none was ever seen to be anything else: a host that is refused must be the primary.</summary>
    private static bool IsPrimaryMissing(TopologySnapshot topology) =>
        topology.Hosts.All(host => IsRefused(host) || host is { IsServing: true, Role: HostRole.Replica }) && !topology.Hosts.Any(host => host.Answer is { IsInRecovery: false });

    private static bool IsRefused(HostSnapshot host) => host.State is HostState.Misconfigured or HostState.ForeignCluster;
}
