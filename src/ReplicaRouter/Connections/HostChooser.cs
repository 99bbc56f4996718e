namespace ReplicaRouter;

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
    /// <summary>Asks for one operation, after which only the probes ask.</summary>
    private const int MaxAsks = 3;

    /// <summary>Asks for one operation that follow one another at once; from then on with a pause, doubled three times.</summary>
    private const int AsksWithoutPause = 6;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(1);

    /// <summary>Timers know milliseconds, and an answer takes less.</summary>
    private static readonly TimeSpan ShortestWait = TimeSpan.FromMilliseconds(2);

    private readonly StartupGate _gate = new(
        store,
        plan => HostSelection.Choose(store.Current, plan, RouteRequest.For(plan, default, time), fleet.Loads, random) is { Host: not null, Fallback: Verdict.Eligible },
        // A little longer than the first probes may take.
        configuration.Health.Timeout + TimeSpan.FromMilliseconds(500),
        configuration.Routes.Length,
        time);

    private readonly int[] _waiting = new int[configuration.Routes.Length];

    /// <summary>The host's pool for a plain request, chosen now; null when it takes a closer look.</summary>
    /// <param name="plan">The route.</param>
    /// <param name="excluded">Hosts that are not wanted, one bit each.</param>
    public HostPool? TryChoosePlain(RoutePlan plan, ulong excluded = 0)
    {
        if (!_gate.IsOpen) return null;
        var host = HostSelection.ChoosePlain(store.Current, plan, fleet.Loads, random, time, excluded);
        return host < 0 ? null : fleet.PoolAt(host, plan);
    }

    /// <summary>The host's pool for a route, chosen now.</summary>
    /// <exception cref="NoEligibleHostException">No host may serve.</exception>
    public HostPool Choose(RoutePlan plan, OperationOptions? options)
    {
        if (!_gate.IsOpen) _gate.WaitAsync(plan, CancellationToken.None).GetAwaiter().GetResult();
        var request = RouteRequest.For(plan, options, time);
        var topology = store.Current;
        var choice = HostSelection.Choose(topology, plan, request, fleet.Loads, random);
        if (choice.Host is null) throw Eligibility.NoHost(topology, plan, request, time);
        if (IsFallbackToPrimary(topology, plan, request, choice)) ThrowIfNoPlace(topology, plan, request);
        return PoolOf(choice, plan);
    }

    /// <summary>Whether some host may serve the route at this moment. Counts nothing.</summary>
    public bool CanServe(RoutePlan plan) => HostSelection.Choose(store.Current, plan, RouteRequest.For(plan, default, time), fleet.Loads, random).Host is not null;

    /// <summary>Who would serve the route at this moment, and why not the others. Counts nothing.</summary>
    public RouteExplanation Explain(RoutePlan plan, OperationOptions? options) =>
        RouteExplanation.Of(store.Current, plan, RouteRequest.For(plan, options, time), fleet.Loads, random, time);

    /// <summary>What is done with a client that was given away can't be counted by operations: there must be a place at the moment that it is given.</summary>
    private void ThrowIfNoPlace(TopologySnapshot topology, RoutePlan plan, in RouteRequest request)
    {
        if (guard.HasPlace(plan.Priority)) return;
        counters.CountShed();
        throw Eligibility.NoHost(topology, plan, request, time, whyNotPrimary: WhyNoPlace);
    }

    private string WhyNoPlace => $"serves as many reads as it may ({guard.Places} at once) for replicas that can't";

    /// <summary>The host's pool for an operation, chosen once a host may serve it.</summary>
    /// <returns>The pool, and what the operation's session asked of it.</returns>
    /// <exception cref="NoEligibleHostException">No host may serve, and none came within the route's wait.</exception>
    public async ValueTask<(HostPool Pool, SessionDemand Demand)> ChooseAsync(Attempt attempt, CancellationToken cancellationToken)
    {
        if (!_gate.IsOpen) await _gate.WaitAsync(attempt.Plan, cancellationToken).ConfigureAwait(false);
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
                // Nobody tells. The primary needs no position to serve.
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
            counters.CountShed();
            LeavePrimary(attempt);
            throw attempt.NoHost(topology, demand, time, WhyNoPlace);
        }

        if (guard.Refill() is { } refill && refill < left) left = refill;
        var since = time.GetTimestamp();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(ticket.Admitted, store.NewerAsync(topology, left, either.Token)).ConfigureAwait(false);
        await either.CancelAsync().ConfigureAwait(false);
        attempt.ForgivesPause(since, left, time);
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
        return fleet.PoolAt(choice.Host!.Configuration.Index, plan);
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
        // A host that is lost tells nothing, and whoever waits for it would not see another one promoted.
        if (!topology.Hosts.Any(host => host.IsServing && (witnesses & host.Configuration.Bit) != 0)) return false;
        if (attempt.Asks++ >= MaxAsks || left <= TimeSpan.Zero) return false;
        counters.CountPositionAsked();
        attempt.AskedReplica = target.Configuration.Bit;
        var asking = AskAsync(target.Configuration.Bit, attempt.RemainingCatchUp(demand.WriteTook, time), cancellationToken);
        await AskAsync(witnesses, left, cancellationToken).ConfigureAwait(false);
        await asking.ConfigureAwait(false);
        return true;
    }

    /// <summary>Waits for a replica that has nearly replayed what the session needs, rather than to burden the primary.</summary>
    /// <returns>Whether to choose again.</returns>
    private async Task<bool> TryCatchUpAsync(Attempt attempt, TopologySnapshot topology, SessionDemand demand, Choice choice, CancellationToken cancellationToken)
    {
        // Where nobody else may serve, there is as much time as there is to wait for a host.
        var left = choice.Host is null ? attempt.RemainingWaitForHost(time) : attempt.RemainingCatchUp(demand.WriteTook, time);
        if (Nearest(topology, choice.Behind, attempt.AskedReplica, left) is not { } replica) return false;
        // As long as the last answer took, the next one takes, too.
        if (left.TotalMilliseconds <= fleet.MonitorOf(replica.Configuration).LastProbeMs) return false;
        var asks = attempt.Asks++;
        counters.CountCatchUpWait();
        // Mostly it is about to get there, and a timer would be slower than to ask again at once.
        if (asks >= AsksWithoutPause) await Task.Delay(FirstPause * (1 << Math.Min(asks - AsksWithoutPause, 3)), time, cancellationToken).ConfigureAwait(false);
        attempt.AskedReplica = replica.Configuration.Bit;
        // A position that the primary has not sent yet, as far as we know: is there such a one?
        var doubtful = topology.Primary is { } primary && primary.Answer!.FlushLsn < demand.Floor.Lsn ? primary.Configuration.Bit : 0;
        await AskAsync(replica.Configuration.Bit | doubtful, left, cancellationToken).ConfigureAwait(false);
        return true;
    }

    private async Task AskAsync(ulong hosts, TimeSpan limit, CancellationToken cancellationToken)
    {
        var asking = fleet.AskAsync(hosts);
        try
        {
            await asking.WaitAsync(TimeSpan.Max(limit, ShortestWait), time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // Whoever asked looks at what is known by now.
        }
    }

    /// <summary>The replica that has replayed most among those that are expected to need no longer than a limit: as long as they lag.</summary>
    private static HostSnapshot? Nearest(TopologySnapshot topology, ulong hosts, ulong asked, TimeSpan limit)
    {
        HostSnapshot? nearest = null;
        foreach (var host in topology.Hosts)
        {
            if ((hosts & host.Configuration.Bit) == 0 || !(host.Lag < limit)) continue;
            if (host.Configuration.Bit == asked) return host;
            if (nearest is null || host.Answer!.ReplayLsn > nearest.Answer!.ReplayLsn) nearest = host;
        }

        return nearest;
    }

    /// <param name="attempt">The operation.</param>
    /// <param name="topology">What is known.</param>
    /// <param name="demand">What its session needs.</param>
    /// <param name="isBehind">Whether a replica would serve, did it show what the session needs.</param>
    /// <param name="cancellationToken">Gives up.</param>
    private async Task WaitForHostAsync(Attempt attempt, TopologySnapshot topology, SessionDemand demand, bool isBehind, CancellationToken cancellationToken)
    {
        ThrowIfHopeless(topology, attempt.Plan);
        if (attempt.RefusalBy(topology.Primary) is { } refusal) throw new DatabaseRouterConfigurationException([refusal]);
        // A session that needs what no host shows yet: time to look again.
        if (!demand.Floor.IsNone && !attempt.HasWoken)
        {
            attempt.HasWoken = true;
            fleet.Wake(ulong.MaxValue);
        }

        try
        {
            // Beyond what can be served in time, waiting only delays the bad news, and keeps memory.
            var isOneTooMany = Interlocked.Increment(ref _waiting[attempt.Plan.Index]) > attempt.Plan.MaxWaiting;
            if (isOneTooMany) throw attempt.NoHost(store.Current, demand, time);
            // Only a primary tells the session where it stands: that is worth the wait of a write.
            var left = attempt.RemainingWaitForHost(time, isBehind && topology.Primary is null ? configuration.PlanOf(DatabaseOperation.Write).Wait : default);
            var since = time.GetTimestamp();
            var isNewer = await store.NewerAsync(topology, left, cancellationToken).ConfigureAwait(false);
            // After a stop of the process all that is known is old, and hosts need a moment to answer.
            if (!attempt.ForgivesPause(since, left, time) && !isNewer) throw attempt.NoHost(store.Current, demand, time);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting[attempt.Plan.Index]);
        }

        // A host that failed and answers again gets another try, but not from all who wait for it at once, again and again.
        if (attempt.ForgiveAnswered(store.Current)) await Task.Delay(attempt.NextBackoff(random), time, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Waiting won't help when every host that may serve says that the configuration is wrong. A server that starts or refuses connections may still come.</summary>
    private static void ThrowIfHopeless(TopologySnapshot topology, RoutePlan plan)
    {
        List<HostSnapshot> refused = [.. topology.Hosts.Where(IsRefused)];
        var isHopeless = refused.Count == topology.Hosts.Length || (refused.Count > 0 && plan.Tiers.All(tier => tier.IsPrimary) && IsPrimaryMissing(topology));
        if (isHopeless) throw new DatabaseRouterConfigurationException([.. refused.Select(host => host.Error!)]);
    }

    /// <summary>Whether all that is let in are standbys, and none was ever seen to be anything else: whoever is refused must be the primary.</summary>
    private static bool IsPrimaryMissing(TopologySnapshot topology) =>
        topology.Hosts.All(host => IsRefused(host) || host is { IsServing: true, Role: HostRole.Replica }) && !topology.Hosts.Any(host => host.Answer is { IsInRecovery: false });

    private static bool IsRefused(HostSnapshot host) => host.State is HostState.Misconfigured or HostState.ForeignCluster;
}
