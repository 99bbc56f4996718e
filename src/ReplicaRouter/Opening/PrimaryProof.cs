using Npgsql;

namespace ReplicaRouter.Opening;

/// <summary>Verifies that the primary shows all that a session has read on replicas, before the session uses the primary.</summary>
/// <remarks>
/// A replica shows a commit as soon as it has replayed it; the primary only after its synchronous standbys have confirmed it. See <see cref="HiddenCommits"/>.
/// </remarks>
internal sealed class PrimaryProof(RouterConfiguration configuration, TopologyStore store, HostRegistry registry, LeaseOpener leases, TimeProvider time)
{
    /// <summary>Without synchronous standbys a commit is hidden from its flush to disk until its process leaves the list of open transactions: about a millisecond.</summary>
    private static readonly TimeSpan LongestWithoutStandbys = TimeSpan.FromSeconds(1);

    /// <summary>How long a connection is held while the primary is asked repeatedly. A healthy synchronous standby confirms sooner.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(50);

    /// <summary>Time limit for connecting to a replica and getting its answer.</summary>
    private static readonly TimeSpan ReplicaLimit = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(1);

    /// <summary>Whether the primary must be verified first.</summary>
    public bool IsNeeded(Attempt attempt, HostPool pool)
    {
        if (attempt.Session is not { } session || configuration.SessionWindow is not null) return false;
        if (store.Current.At(pool.Host.Index) is not { Role: HostRole.Primary } primary || session.ReadOnReplicasUntil(attempt.StartedAt) is not { } until) return false;
        return primary.LastAnswered is not { Answer.MayAwaitStandbys: false } last || last.SentAt < until || time.GetElapsedTime(until) < LongestWithoutStandbys;
    }

    /// <returns>Whether it is verified. If not, the primary hides something that the session has read on a replica.</returns>
    public async Task<bool> HoldsAsync(Attempt attempt, HostPool pool, ReadRequirement demand, NpgsqlConnection primary, CancellationToken cancellationToken)
    {
        var session = attempt.Session!;
        // Reuse the result of an earlier try: asked again, the replica would also name commits that the session has not read.
        if (attempt.Wait.Doubt is not { } doubt || !doubt.Covers(pool.Host, session.ReadOnReplicasUntil(attempt.StartedAt)))
        {
            doubt = attempt.Wait.Doubt = await DoubtAsync(attempt, pool.Host, demand, primary, cancellationToken).ConfigureAwait(false);
        }

        var start = time.GetTimestamp();
        for (var pause = FirstPause; !await doubt.IsGoneAsync(primary, time, cancellationToken).ConfigureAwait(false); pause *= 2)
        {
            var left = TimeSpan.Min(Patience - time.GetElapsedTime(start), attempt.RemainingWait(time));
            if (left <= TimeSpan.Zero) return false;
            await Task.Delay(TimeSpan.Min(pause, left), time, cancellationToken).ConfigureAwait(false);
        }

        session.Shown(doubt.AskedAt);
        return true;
    }

    private async Task<PrimaryDoubt> DoubtAsync(Attempt attempt, HostConfiguration host, ReadRequirement demand, NpgsqlConnection primary, CancellationToken cancellationToken)
    {
        var now = time.GetTimestamp();
        var open = await HiddenCommits.OpenAsync(primary, cancellationToken).ConfigureAwait(false);
        // Writable routes do not use their pools to replicas.
        var plan = attempt.Plan.IsReadOnly ? attempt.Plan : configuration.PlanOf(DatabaseOperation.Read);
        foreach (var replica in Witnesses(demand))
        {
            var asking = AskAsync(attempt.Session!, registry.PoolAt(replica.Configuration.Index, plan), open);
            if (await asking.EndsWithinAsync(ReplicaLimit, time, cancellationToken).ConfigureAwait(false) && asking is { IsCompletedSuccessfully: true, Result: (true, var hidden) })
            {
                return new PrimaryDoubt(host, now, hidden);
            }

            cancellationToken.ThrowIfCancellationRequested();
            asking.Forget();
        }

        var suspects = await HiddenCommits.SuspectsAsync(primary, cancellationToken).ConfigureAwait(false);
        return new PrimaryDoubt(host, now, null, [.. suspects.Keys]);
    }

    /// <summary>Returns two replicas that probably show all that the session has read: the one that it last read from, and the one that has replayed most.</summary>
    private IEnumerable<HostSnapshot> Witnesses(ReadRequirement demand)
    {
        var now = time.GetTimestamp();
        return store.Current.Hosts
            .Where(host => host is { Role: HostRole.Replica, IsServing: true, IsWarmOnly: false } && host.StateAt(now) is not (HostState.Unknown or HostState.Suspect) && demand.Allows(host))
            .OrderByDescending(host => (host.Configuration.Bit & demand.Affinity) != 0).ThenByDescending(host => host.Answer?.ReplayLsn)
            .Take(2);
    }

    /// <returns>Whether the replica is proven to show what the session has read, and which of the open transactions it shows.</returns>
    private async Task<(bool IsProven, string? Hidden)> AskAsync(SessionState session, HostPool pool, string open)
    {
        var opening = new Attempt(pool.Plan, new OperationOptions { Deadline = ReplicaLimit }, session: null, time);
        var connection = await leases.OpenAsync(new StartedOpening(pool, leases.TryTake(pool)), opening, async: true, CancellationToken.None).ConfigureAwait(false);
        await using var _ = connection.ConfigureAwait(false);
        return await ReplicaProof.HoldsAsync(session, store, pool, connection, async: true, CancellationToken.None).ConfigureAwait(false)
            ? (true, await HiddenCommits.CommittedAsync(connection, open, CancellationToken.None).ConfigureAwait(false))
            : (false, null);
    }
}
