namespace ReplicaRouter.Opening;

/// <summary>Chooses hosts, and waits where that improves the choice: for an eligible host, for a position, or for a replica that is about to catch up.</summary>
internal sealed class HostChooser(
    RouterConfiguration configuration,
    TopologyStore store,
    HostRegistry registry,
    RoutingCounters counters,
    PrimaryGuard guard,
    SessionWatcher sessions,
    TimeProvider time,
    Random random)
{
    /// <summary>How often one operation may ask hosts for positions. After that, only the probes ask.</summary>
    private const int MaxAsks = 3;

    /// <summary>Timers have millisecond resolution; an answer takes less.</summary>
    private static readonly TimeSpan ShortestWait = TimeSpan.FromMilliseconds(2);

    private readonly StartupGate _gate = new(
        store,
        plan => HostSelection.Choose(store.Current, plan, RouteRequest.For(plan, default, time), registry.Loads, random) is { Host: not null, Fallback: Verdict.Eligible },
        // Slightly longer than the first probes can take.
        configuration.Health.Timeout + TimeSpan.FromMilliseconds(500),
        configuration.Routes.Length,
        time);

    /// <summary>How long to wait for a replica before checking again what the session needs: by then there can be another primary, or the position can be gone.</summary>
    private static readonly TimeSpan LongestTurn = TimeSpan.FromMilliseconds(250);

    private readonly int[] _waiting = new int[configuration.Routes.Length];

    /// <summary>Returns the pool of a host chosen now for a plain request; null if the full selection is needed. <paramref name="excluded"/>: one bit per host.</summary>
    public HostPool? TryChoosePlain(RoutePlan plan, ulong excluded = 0)
    {
        if (!_gate.IsOpen) return null;
        var host = HostSelection.ChoosePlain(store.Current, plan, registry.Loads, random, time, excluded);
        return host < 0 ? null : PoolOf(host, plan);
    }

    /// <summary>Returns the pool of a host chosen now for a route.</summary>
    /// <exception cref="NoEligibleHostException">No host may serve.</exception>
    public HostPool Choose(RoutePlan plan, OperationOptions? options)
    {
        if (!_gate.IsOpen) _gate.WaitAsync(RouteRequest.For(plan, options, time).IsStrong ? null : plan, CancellationToken.None).GetAwaiter().GetResult();
        var request = RouteRequest.For(plan, options, time);
        var topology = store.Current;
        var choice = HostSelection.Choose(topology, plan, request, registry.Loads, random);
        if (choice.Host is null) throw Eligibility.NoHost(topology, plan, request, time);
        // What callers do with the pool can't be counted as operations, so a free slot is required only at this moment.
        if (!IsFallbackToPrimary(topology, plan, request, choice) || guard.HasPlace(plan.Priority)) return PoolOf(choice, plan);
        counters.Count(RouterEvent.Shed);
        throw Eligibility.NoHost(topology, plan, request, time, whyNotPrimary: WhyNoPlace);
    }

    /// <summary>Whether a host may serve the route now. Changes no counters.</summary>
    public bool CanServe(RoutePlan plan) => HostSelection.Choose(store.Current, plan, RouteRequest.For(plan, default, time), registry.Loads, random).Host is not null;

    /// <summary>Explains which host would serve the route now, and why others may not. Changes no counters.</summary>
    public RouteExplanation Explain(RoutePlan plan, OperationOptions? options) =>
        RouteExplanation.Of(store.Current, plan, RouteRequest.For(plan, options, time), registry.Loads, random, time);

    private string WhyNoPlace => $"already serves as many fallback reads as it may ({guard.Places} at once)";

    /// <summary>Chooses a host for an operation, and waits until one may serve it.</summary>
    /// <returns>The host's pool, and what the operation's session needs from it.</returns>
    /// <exception cref="NoEligibleHostException">No host may serve, and none came within the route's wait.</exception>
    public async ValueTask<(HostPool Pool, ReadRequirement Demand)> ChooseAsync(Attempt attempt, CancellationToken cancellationToken)
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
                // No host reports the position. No replica reaches this one; the primary can serve without it.
                demand = demand with { Floor = demand.Floor with { Lsn = ulong.MaxValue } };
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

    /// <summary>Waits for a slot on the primary, for a read that falls back to it.</summary>
    /// <returns>Whether the read may proceed. If not, choose again: a replica may be back.</returns>
    private async ValueTask<bool> TryEnterAsync(Attempt attempt, TopologySnapshot topology, ReadRequirement demand, Choice choice, CancellationToken cancellationToken)
    {
        if (!IsFallbackToPrimary(topology, attempt.Plan, attempt.Request(demand, time), choice))
        {
            LeavePrimary(attempt);
            return true;
        }

        var ticket = attempt.Ticket ??= guard.Enter(attempt.Plan.Priority, registry.Loads[choice.Host!.Configuration.Index].Commands.Count);
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

    /// <summary>Whether the primary serves only because replicas can't. Reads that an operator sends to the primary, and strong reads, do not count.</summary>
    private static bool IsFallbackToPrimary(TopologySnapshot topology, RoutePlan plan, in RouteRequest request, in Choice choice) =>
        plan.IsReadOnly && !request.IsStrong && choice.Fallback != Verdict.Eligible && ReferenceEquals(choice.Host, topology.Primary)
        && !Eligibility.IsForcedToPrimary(topology, plan, request);

    /// <summary>Waits until the state of all hosts is known, or the time limit for it has passed.</summary>
    public Task WaitUntilSettledAsync(CancellationToken cancellationToken) => _gate.WaitAsync(null, cancellationToken);

    private Choice Choose(Attempt attempt, TopologySnapshot topology, in ReadRequirement demand) =>
        HostSelection.Choose(topology, attempt.Plan, attempt.Request(demand, time), registry.Loads, random);

    private HostPool PoolOf(in Choice choice, RoutePlan plan)
    {
        if (choice.Fallback != Verdict.Eligible) counters.CountFallback(plan, choice.Fallback);
        return PoolOf(choice.Host!.Configuration.Index, plan);
    }

    /// <summary>Returns the pool of a host that was chosen for a command.</summary>
    private HostPool PoolOf(int host, RoutePlan plan)
    {
        registry.Loads[host].Ejection(plan.Index).OnChosen(host);
        return registry.PoolAt(host, plan);
    }

    private ReadRequirement DemandOf(Attempt attempt, TopologySnapshot topology)
    {
        if (attempt.Session is not { } session) return default;
        if (configuration.SessionWindow is { } window) return session.Demand(time.GetUtcNow(), window);
        var demand = session.Demand(topology, attempt.StartedAt);
        sessions.OnFinding(demand.Finding, demand.Floor);
        return demand;
    }

    /// <summary>Asks for the positions of the session's accesses, and for the chosen replica's replay position, all in one round trip.</summary>
    /// <returns>Whether to choose again.</returns>
    private async Task<bool> TryLearnPositionsAsync(Attempt attempt, TopologySnapshot topology, ReadRequirement demand, HostSnapshot target, CancellationToken cancellationToken)
    {
        attempt.Session!.Release();
        var left = attempt.RemainingWaitForHost(time);
        var witnesses = topology.WitnessesFor(demand.Unsettled, demand.IsAcrossTimelines);
        // A lost host reports nothing, and an operation that waits for it would not notice the promotion of another.
        if (!topology.Hosts.Any(host => host.IsServing && (witnesses & host.Configuration.Bit) != 0)) return false;
        if (attempt.Wait.Asks++ >= MaxAsks || left <= TimeSpan.Zero) return false;
        counters.Count(RouterEvent.PositionAsked);
        attempt.Wait.Awaited = target.Configuration.Bit;
        await Task.WhenAll(AskAsync(target.Configuration.Bit, attempt.RemainingCatchUp(time), cancellationToken), AskAsync(witnesses, left, cancellationToken)).ConfigureAwait(false);
        return true;
    }

    /// <summary>Waits for a replica that is expected to replay in time what the session needs, to spare the primary.</summary>
    /// <returns>Whether to choose again.</returns>
    private async Task<bool> TryCatchUpAsync(Attempt attempt, TopologySnapshot topology, ReadRequirement demand, Choice choice, CancellationToken cancellationToken)
    {
        // If no other host may serve, the full wait for a host applies.
        var left = choice.Host is null ? attempt.RemainingWaitForHost(time) : attempt.RemainingCatchUp(time);
        if (Expected(attempt, topology, demand, choice.Behind, left) is not { } replica) return false;
        counters.Count(RouterEvent.CatchUpWait);
        attempt.Wait.Awaited = replica.Configuration.Bit;
        var turn = TimeSpan.Min(left, LongestTurn);
        var isReached = await registry.PoolsOf(replica.Configuration).Replay.WaitAsync(demand.Floor.Lsn, turn, cancellationToken).ConfigureAwait(false);
        if (isReached == false) attempt.Wait.Lost |= replica.Configuration.Bit;
        // If the primary has not reached the position, or never will, the rest of the wait would be wasted: the primary's next answer shows.
        var isInDoubt = isReached is null && turn < left && topology.Primary?.Answer!.FlushLsn < demand.Floor.Lsn;
        if (isInDoubt) await AskAsync(topology.Primary!.Configuration.Bit, left - turn, cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <summary>Asks hosts. At the time limit, the caller continues with what is known.</summary>
    private Task<bool> AskAsync(ulong hosts, TimeSpan limit, CancellationToken cancellationToken) =>
        registry.ProbeNowAsync(hosts).EndsWithinAsync(TimeSpan.Max(limit, ShortestWait), time, cancellationToken);

    /// <summary>Chooses the replica to wait for, like any other host, among those that are expected to catch up in time; null if none is.</summary>
    private HostSnapshot? Expected(Attempt attempt, TopologySnapshot topology, in ReadRequirement demand, ulong behind, TimeSpan left)
    {
        // No replica can be proven to reach such a position until a primary answers.
        if (left < ShortestWait || demand.Floor.Lsn == ulong.MaxValue || demand.Floor.Timeline > topology.Timeline) return null;
        // What the operation needs was written before it began, so a replica whose lag is below the whole wait reaches it in time.
        var wait = time.GetElapsedTime(attempt.StartedAt) + left;
        ulong expected = 0;
        foreach (var host in topology.Hosts)
        {
            if ((behind & ~attempt.Wait.Lost & host.Configuration.Bit) == 0 || topology.IsKnownToLagBy(host, wait, time)) continue;
            // Assume that the next answer takes as long as the last one.
            if (registry.MonitorOf(host.Configuration).LastProbeMs < left.TotalMilliseconds) expected |= host.Configuration.Bit;
        }

        if (expected == 0) return null;
        var request = attempt.Request(demand, time) with { Floor = default };
        return HostSelection.Choose(topology, attempt.Plan, request with { Excluded = request.Excluded | ~expected }, registry.Loads, random).Host;
    }

    /// <summary>
    /// Waits for a change that can make a host eligible. <paramref name="isBehind"/>: whether a replica would be eligible if it had replayed what the session needs.
    /// </summary>
    private async Task WaitForHostAsync(Attempt attempt, TopologySnapshot topology, ReadRequirement demand, bool isBehind, CancellationToken cancellationToken)
    {
        ThrowIfHopeless(topology, attempt.Plan);
        if (attempt.Failed?.RefusalBy(topology.Primary) is { } refusal) throw new DatabaseRouterConfigurationException([refusal]);
        // No host shows yet what the session needs: probe all hosts now.
        if (!demand.Floor.IsNone && !attempt.Wait.HasWoken)
        {
            attempt.Wait.HasWoken = true;
            registry.Wake(ulong.MaxValue);
        }

        try
        {
            // More waiters than can be served in time would only fail later, and hold memory.
            if (Interlocked.Increment(ref _waiting[attempt.Plan.Index]) > attempt.Plan.MaxWaiting) throw attempt.NoHost(store.Current, demand, time);
            // Only a primary can resolve the session's position, so wait for one as long as a write would.
            var left = attempt.RemainingWaitForHost(time, isBehind && topology.Primary is null ? configuration.PlanOf(DatabaseOperation.Write).Wait : default);
            var since = time.GetTimestamp();
            var isNewer = await store.NewerAsync(topology, left, cancellationToken).ConfigureAwait(false);
            // After a pause of this process all states are outdated, and hosts need a moment to answer.
            if (!attempt.Wait.ForgivesPause(since, left, time) && !isNewer) throw attempt.NoHost(store.Current, demand, time);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting[attempt.Plan.Index]);
        }

        // A host that answers again after a failure is tried again, with backoff, so that its waiters do not all retry at once.
        if (attempt.Failed is { } failed && failed.ClearAnswered(store.Current)) await Task.Delay(failed.NextBackoff(random), time, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Throws if waiting can't help, because every host that could serve reports a wrong configuration. A server that is starting or refuses connections can still come back.
    /// </summary>
    private static void ThrowIfHopeless(TopologySnapshot topology, RoutePlan plan)
    {
        List<HostSnapshot> refused = [.. topology.Hosts.Where(IsRefused)];
        var isHopeless = refused.Count == topology.Hosts.Length || (refused.Count > 0 && plan.Tiers.All(tier => tier.IsPrimary) && IsPrimaryMissing(topology));
        if (isHopeless) throw new DatabaseRouterConfigurationException([.. refused.Select(host => host.Error!)]);
    }

    /// <summary>Whether the primary must be a host that refuses us: all others are standbys, and no host was ever seen out of recovery.</summary>
    private static bool IsPrimaryMissing(TopologySnapshot topology) =>
        topology.Hosts.All(host => IsRefused(host) || host is { IsServing: true, Role: HostRole.Replica }) && !topology.Hosts.Any(host => host.Answer is { IsInRecovery: false });

    private static bool IsRefused(HostSnapshot host) => host.State is HostState.Misconfigured or HostState.ForeignCluster;
}
