using System.Collections.Immutable;
using Npgsql;

namespace ReplicaRouter;

/// <summary>From a route to an open connection: chooses a host, opens, and on a host's failure chooses again until time is up.</summary>
internal sealed class ConnectionOpener(
    RouterConfiguration configuration,
    TopologyStore store,
    ImmutableArray<HostPools> pools,
    ImmutableArray<HostMonitor> monitors,
    RoutingCounters counters,
    TimeProvider time,
    Random random)
{
    // A little longer than the first probes may take.
    private readonly TimeSpan _settleTimeout = configuration.Health.Timeout + TimeSpan.FromMilliseconds(500);
    private volatile bool _isSettled;

    /// <summary>The host's pool for a route, chosen now.</summary>
    /// <exception cref="NoEligibleHostException">No host may serve.</exception>
    public HostPool Pick(RoutePlan plan, in RouteOptions options)
    {
        if (!_isSettled) WaitUntilSettled();
        var request = RouteRequest.For(plan, options, time);
        return Choose(plan, request, out var topology) ?? throw Eligibility.NoHost(topology, plan, request, time);
    }

    /// <summary>An open connection, counted until it is closed.</summary>
    /// <exception cref="NoEligibleHostException">No host may serve, and none came within the route's wait.</exception>
    public async ValueTask<(NpgsqlConnection Connection, HostPool Pool)> OpenAsync(Attempt attempt, CancellationToken cancellationToken)
    {
        if (!_isSettled) await WaitUntilSettledAsync(cancellationToken).ConfigureAwait(false);
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            attempt.ThrowIfExpired(time);
            if (Choose(attempt.Plan, attempt.Request(time), out var topology) is not { } pool)
            {
                await WaitForHostAsync(attempt, topology, cancellationToken).ConfigureAwait(false);
                continue;
            }

            var startedAt = time.GetTimestamp();
            try
            {
                return (await OpenAsync(pool, attempt, cancellationToken).ConfigureAwait(false), pool);
            }
            // The caller's own deadline says nothing of the host.
            catch (Exception e) when (!attempt.HasExpired && Report(e, pool, startedAt))
            {
                attempt.Exclude(pool.Host, e, time.GetTimestamp());
            }
        }
    }

    /// <inheritdoc cref="OpenAsync(Attempt, CancellationToken)"/>
    public (NpgsqlConnection Connection, HostPool Pool) Open(Attempt attempt)
    {
        if (!_isSettled) WaitUntilSettled();
        while (true)
        {
            attempt.ThrowIfExpired(time);
            if (Choose(attempt.Plan, attempt.Request(time), out var topology) is not { } pool)
            {
                WaitForHostAsync(attempt, topology, CancellationToken.None).GetAwaiter().GetResult();
                continue;
            }

            var startedAt = time.GetTimestamp();
            var connection = pool.CreateConnection();
            using var opening = pool.CountOpening();
            try
            {
                connection.Open();
                return (connection, pool);
            }
            catch (Exception e)
            {
                connection.Dispose();
                if (!Report(e, pool, startedAt)) throw;
                attempt.Exclude(pool.Host, e, time.GetTimestamp());
            }
        }
    }

    /// <summary>Tells the monitor at once when an error was the host's.</summary>
    /// <returns>Whether it was, so that another host may do better.</returns>
    public bool Report(Exception exception, HostPool pool, long startedAt)
    {
        var kind = FailureClassifier.Classify(exception);
        if (kind is FailureKind.None) return false;
        var monitor = monitors[pool.Host.Index];
        // One terminated backend, one query in the way of replay or a refused write is no sick host. The probe will tell.
        if (kind is FailureKind.Terminated or FailureKind.RecoveryConflict or FailureKind.ReadOnly) monitor.Wake();
        else monitor.Report(FailureClassifier.Describe(exception, pool.Host), startedAt);
        return true;
    }

    private HostPool? Choose(RoutePlan plan, in RouteRequest request, out TopologySnapshot topology)
    {
        topology = store.Current;
        var choice = HostSelection.Choose(topology, plan, request, pools.AsSpan(), random);
        if (choice.Host is not { } host) return null;
        if (choice.Fallback != Verdict.Eligible) counters.CountFallback(plan, choice.Fallback);
        return pools[host.Configuration.Index][plan];
    }

    /// <summary>Npgsql does not heed cancellation while it logs in: we stop waiting, and close the connection when it comes.</summary>
    private async ValueTask<NpgsqlConnection> OpenAsync(HostPool pool, Attempt attempt, CancellationToken cancellationToken)
    {
        var limit = attempt.Remaining(time);
        var connection = pool.CreateConnection();
        using var counted = pool.CountOpening();
        var opening = connection.OpenAsync(cancellationToken);
        try
        {
            var isBounded = !opening.IsCompleted && (limit is not null || cancellationToken.CanBeCanceled);
            await (isBounded ? opening.WaitAsync(limit ?? Timeout.InfiniteTimeSpan, time, cancellationToken) : opening).ConfigureAwait(false);
            return connection;
        }
        catch (Exception e)
        {
            var isOurs = e is TimeoutException && !opening.IsCompleted;
            _ = CloseOnceOpenedAsync(opening, connection);   // closing a connection that is still connecting throws
            if (isOurs) throw attempt.Expired(e);
            throw;
        }
    }

    private static async Task CloseOnceOpenedAsync(Task opening, NpgsqlConnection connection)
    {
        await opening.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await connection.DisposeAsync().ConfigureAwait(false);
    }

    private async Task WaitForHostAsync(Attempt attempt, TopologySnapshot topology, CancellationToken cancellationToken)
    {
        ThrowIfHopeless(topology);
        if (!await topology.SupersededWithinAsync(attempt.RemainingWait(time), time, cancellationToken).ConfigureAwait(false)) throw attempt.NoHost(store.Current, time);

        // A host that failed and answers again gets another try, but not from all who wait for it at once, again and again.
        if (attempt.ForgiveAnswered(store.Current)) await Task.Delay(attempt.NextBackoff(random), time, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Waiting won't help when every host says that the configuration is wrong.</summary>
    private static void ThrowIfHopeless(TopologySnapshot topology)
    {
        if (topology.Hosts.All(host => host.State is HostState.Misconfigured or HostState.ForeignCluster))
        {
            throw new RouterConfigurationException([.. topology.Hosts.Select(host => host.Error!)]);
        }
    }

    private void WaitUntilSettled() => WaitUntilSettledAsync(CancellationToken.None).GetAwaiter().GetResult();

    /// <summary>Before the first probes nothing is known: choosing then would send a whole start-up to one host, perhaps the wrong one.</summary>
    public async Task WaitUntilSettledAsync(CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        for (var topology = store.Current; !topology.IsSettled; topology = store.Current)
        {
            if (!await topology.SupersededWithinAsync(_settleTimeout - time.GetElapsedTime(start), time, cancellationToken).ConfigureAwait(false)) break;
        }

        _isSettled = true;
    }
}
