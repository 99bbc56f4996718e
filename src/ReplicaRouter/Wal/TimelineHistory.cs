using System.Collections.Immutable;

namespace ReplicaRouter.Wal;

/// <summary>Up to where former timelines are part of the cluster's present history, as far as this router saw them end.</summary>
/// <remarks>
/// Each promotion starts a timeline at the position that the promoted standby had replayed. What the old primary wrote beyond that fork is
/// lost. The promoted server shows the fork as <c>pg_last_wal_replay_lsn()</c>, which stands still once recovery has ended.
/// Two promotions from one timeline start two timelines of the same number: only the position of the fork tells them apart.
/// Source: PostgreSQL manual, "Recovery Information Functions".
/// </remarks>
/// <param name="ends">Where former timelines left the history.</param>
/// <param name="synchronous">Timelines on which commits were last seen to be acknowledged only once a synchronous standby had them.</param>
internal sealed class TimelineHistory(ImmutableDictionary<int, ulong> ends, ImmutableHashSet<int> synchronous)
{
    public static readonly TimelineHistory Empty = new([], []);

    /// <summary>Whether a position on a former timeline is known to be part of the present one's history.</summary>
    public bool Contains(in WalPosition position) =>
        !IsOnOtherFork(position.Timeline, position.Fork) && ends.TryGetValue(position.Timeline, out var end) && position.Lsn <= end;

    /// <summary>The position where a former timeline left the history; null when that was not seen.</summary>
    public ulong? EndOf(int timeline) => ends.TryGetValue(timeline, out var end) ? end : null;

    /// <summary>The position where a timeline left the former one; 0 when that was not seen.</summary>
    public ulong ForkOf(int timeline) => EndOf(timeline - 1) ?? 0;

    /// <summary>Whether a timeline that left the former one at a fork, 0 when not known, is known to be another one than that of the same number in this history.</summary>
    public bool IsOnOtherFork(int timeline, ulong fork) => fork == WalPosition.SeveralForks || (fork != 0 && ForkOf(timeline) is not 0 and var present && present != fork);

    private bool IsSynchronous(int timeline) => synchronous.Contains(timeline);

    /// <summary>Whether commits on it waited so; where its end was not seen, the present primary's setting tells how the cluster is run.</summary>
    public bool IsSynchronous(int timeline, HostAnswer primary) => IsSynchronous(timeline) || (EndOf(timeline) is null && primary.HasSynchronousStandbys);

    /// <summary>This history and what two answers of one server show of a promotion between them.</summary>
    public TimelineHistory With(HostAnswer? before, HostAnswer after)
    {
        if (ForkShownBy(before, after) is not { } fork) return this;
        var former = after.Timeline!.Value - 1;
        // While two forks compete, only what lies before both is part of the history whichever of them goes on.
        return Ended(former, EndOf(former) is { } end && end < fork ? end : fork);
    }

    /// <summary>This history as that of a primary whose timeline left the former one at a fork, null when not seen: of two forks, the primary's counts.</summary>
    public TimelineHistory Of(HostAnswer primary, ulong? fork)
    {
        if (primary.Timeline is not { } timeline) return this;
        // Recovery never ends before the fork.
        var isOther = fork is null && primary.ReplayLsn < EndOf(timeline - 1);
        var history = fork is { } end ? Ended(timeline - 1, end) : isOther ? new TimelineHistory(ends.Remove(timeline - 1), synchronous) : this;
        return history.Acknowledging(timeline, primary.HasSynchronousStandbys);
    }

    private TimelineHistory Acknowledging(int timeline, bool isSynchronous) => isSynchronous == IsSynchronous(timeline)
        ? this
        : new TimelineHistory(ends, isSynchronous ? synchronous.Add(timeline) : synchronous.Remove(timeline));

    /// <summary>Where a server's timeline left the former one, as two of its answers show; null when they don't.</summary>
    public static ulong? ForkShownBy(HostAnswer? before, HostAnswer after)
    {
        if (before is not { IsInRecovery: true, ReplayTimeline: { } former } || after is not { IsInRecovery: false, Timeline: { } present, ReplayLsn: { } fork }) return null;
        // Restarted in between, it may show the end of its own crash recovery instead. And a timeline that is not the next one was forked
        // off by a server that knew of more timelines than we saw.
        return before.Server == after.Server && present == former + 1 ? fork : null;
    }

    /// <summary>What came after another end of the timeline is not part of this history.</summary>
    private TimelineHistory Ended(int timeline, ulong end) => EndOf(timeline) == end
        ? this
        : new TimelineHistory(ends.RemoveRange(ends.Keys.Where(later => later > timeline)).SetItem(timeline, end), synchronous);
}
