using System.Collections.Immutable;

namespace ReplicaRouter;

/// <summary>Up to where former timelines are part of the cluster's present history, as far as this router saw them end.</summary>
/// <remarks>
/// Each promotion starts a timeline at the position that the promoted standby had replayed. What the old primary wrote beyond that fork is
/// lost. The promoted server shows the fork as <c>pg_last_wal_replay_lsn()</c>, which stands still once recovery has ended.
/// Source: PostgreSQL manual, "Recovery Information Functions".
/// </remarks>
internal sealed class TimelineHistory
{
    public static readonly TimelineHistory Empty = new([]);

    private readonly ImmutableDictionary<int, ulong> _ends;

    private TimelineHistory(ImmutableDictionary<int, ulong> ends) => _ends = ends;

    /// <summary>Whether a position on a former timeline is known to be part of the present one's history.</summary>
    public bool Contains(int timeline, ulong lsn) => _ends.TryGetValue(timeline, out var end) && lsn <= end;

    /// <summary>The position where a former timeline left the history; null when that was not seen.</summary>
    public ulong? EndOf(int timeline) => _ends.TryGetValue(timeline, out var end) ? end : null;

    /// <summary>This history and what two answers of one server show of a promotion between them.</summary>
    public TimelineHistory With(HostAnswer? before, HostAnswer after)
    {
        if (before is not { IsInRecovery: true, ReplayTimeline: { } former } || after is not { IsInRecovery: false, Timeline: { } present, ReplayLsn: { } fork }) return this;
        // Restarted in between, it may show the end of its own crash recovery instead. And a timeline that is not the next one was forked
        // off by a server that knew of more timelines than we saw.
        if (before.Server != after.Server || present != former + 1) return this;
        // Of two forks of one timeline, only what lies before both is part of the history whichever of them goes on.
        return new TimelineHistory(_ends.SetItem(former, _ends.TryGetValue(former, out var end) && end < fork ? end : fork));
    }
}
