using System.Collections.Immutable;

namespace ReplicaRouter.Wal;

/// <summary>The positions up to which former timelines are part of the cluster's current history, as far as this router saw them end.</summary>
/// <remarks>
/// Each promotion starts a timeline at the position that the promoted standby had replayed. What the old primary wrote beyond that fork is
/// lost. The promoted server shows the fork as <c>pg_last_wal_replay_lsn()</c>, which stands still once recovery has ended.
/// Two promotions from one timeline start two timelines with the same number; only the position of the fork distinguishes them.
/// Source: PostgreSQL manual, "Recovery Information Functions".
/// </remarks>
/// <param name="ends">Where former timelines left the history.</param>
/// <param name="synchronous">Timelines on which, when last seen, commits were acknowledged only once a synchronous standby had them.</param>
internal sealed class TimelineHistory(ImmutableDictionary<int, ulong> ends, ImmutableHashSet<int> synchronous)
{
    public static readonly TimelineHistory Empty = new([], []);

    /// <summary>Whether a position on a former timeline is known to be part of the current history.</summary>
    public bool Contains(in WalPosition position) =>
        !IsOnOtherFork(position.Timeline, position.Fork) && ends.TryGetValue(position.Timeline, out var end) && position.Lsn <= end;

    /// <summary>Returns the position where a former timeline left the history; null if not seen.</summary>
    public ulong? EndOf(int timeline) => ends.TryGetValue(timeline, out var end) ? end : null;

    /// <summary>Returns the position where a timeline branched off the previous one; 0 if not seen.</summary>
    public ulong ForkOf(int timeline) => EndOf(timeline - 1) ?? 0;

    /// <summary>Whether a timeline with a fork (0 if unknown) is known to differ from the one with the same number in this history.</summary>
    public bool IsOnOtherFork(int timeline, ulong fork) => fork == WalPosition.SeveralForks || (fork != 0 && ForkOf(timeline) is not 0 and var present && present != fork);

    /// <summary>Whether commits on a timeline waited for a synchronous standby. If its end was not seen, the current primary's setting shows how the cluster is run.</summary>
    public bool IsSynchronous(int timeline, HostAnswer primary) => synchronous.Contains(timeline) || (EndOf(timeline) is null && primary.HasSynchronousStandbys);

    /// <summary>Returns this history with the promotion that two answers of one server show, if any.</summary>
    public TimelineHistory With(HostAnswer? before, HostAnswer after)
    {
        if (ForkShownBy(before, after) is not { } fork) return this;
        var former = after.Timeline!.Value - 1;
        // While two forks compete, only what lies before both is part of the history in any case.
        return Ended(former, EndOf(former) is { } end && end < fork ? end : fork);
    }

    /// <summary>Returns this history as that of a primary whose timeline branched off at a fork (null if not seen). Of two forks, the primary's counts.</summary>
    public TimelineHistory Of(HostAnswer primary, ulong? fork)
    {
        if (primary.Timeline is not { } timeline) return this;
        // Recovery never ends before the fork, so the known end belongs to another fork.
        var isOther = fork is null && primary.ReplayLsn < EndOf(timeline - 1);
        var history = fork is { } end ? Ended(timeline - 1, end) : isOther ? new TimelineHistory(ends.Remove(timeline - 1), synchronous) : this;
        return history.Acknowledging(timeline, primary.HasSynchronousStandbys);
    }

    private TimelineHistory Acknowledging(int timeline, bool isSynchronous) => isSynchronous == synchronous.Contains(timeline)
        ? this
        : new TimelineHistory(ends, isSynchronous ? synchronous.Add(timeline) : synchronous.Remove(timeline));

    /// <summary>Returns where a server's timeline branched off the previous one, as two of its answers show; null if they don't.</summary>
    public static ulong? ForkShownBy(HostAnswer? before, HostAnswer after)
    {
        if (before is not { IsInRecovery: true, ReplayTimeline: { } former } || after is not { IsInRecovery: false, Timeline: { } present, ReplayLsn: { } fork }) return null;
        // A server that restarted in between can show the end of its own crash recovery instead. A timeline that is not the next one
        // was started by a server that knew of more timelines than we saw.
        return before.Server == after.Server && present == former + 1 ? fork : null;
    }

    /// <summary>Returns this history with the end of a timeline. What came after another end of it is not part of this history, and is dropped.</summary>
    private TimelineHistory Ended(int timeline, ulong end) => EndOf(timeline) == end
        ? this
        : new TimelineHistory(ends.RemoveRange(ends.Keys.Where(later => later > timeline)).SetItem(timeline, end), synchronous);
}
