namespace ReplicaRouter.Dashboard.Feed;

/// <summary>An event that has no id and time yet.</summary>
/// <param name="Kind">The kind of event.</param>
/// <param name="Severity">How bad it is.</param>
/// <param name="Host">The host, if any.</param>
/// <param name="Text">What happened.</param>
/// <param name="Reason">Why, shown to all users.</param>
/// <param name="Error">The error text, for operators only.</param>
internal readonly record struct Happening(EventKind Kind, Severity Severity, string? Host, string Text, string? Reason = null, string? Error = null);

/// <summary>Derives events from the difference between two topologies.</summary>
/// <param name="by">Returns who gave the order that is being carried out.</param>
internal sealed class TopologyEvents(Func<string> by)
{
    // Kept while there is no primary.
    private string? _lastPrimary;

    /// <summary>Returns the events in the order in which people would report them. Not thread-safe.</summary>
    public IEnumerable<Happening> Between(TopologySnapshot before, TopologySnapshot after)
    {
        foreach (var host in before.Hosts)
        {
            if (after.Find(host.Configuration) is null) yield return new(EventKind.Host, Severity.Info, host.Name, "was removed");
        }

        foreach (var host in after.Hosts)
        {
            if (before.Find(host.Configuration) is not { } known)
            {
                yield return new(EventKind.Host, Severity.Info, host.Name, "was added");
                continue;
            }

            if (OfState(known, host) is { } happening) yield return happening;
            if (known.IsDrained != host.IsDrained) yield return OfDrain(host);
            if (host.IsAccepted && !known.IsAccepted) yield return new(EventKind.Override, Severity.Warning, host.Name, "is accepted as it is", OrderedBy);
        }

        if (OfPrimary(before.Primary, after.Primary) is { } change) yield return change;
        if (OfForce(before, after) is { } force) yield return force;
    }

    private static Happening? OfState(HostSnapshot before, HostSnapshot after)
    {
        // The first observation of a serving host is not an event.
        if (before.State == after.State || (before.Last is null && after.IsServing)) return null;
        var text = Describe(before.State, after.State);
        return after.State switch
        {
            HostState.Healthy => new(before.IsServing && before.State != HostState.Recovering ? EventKind.Host : EventKind.Return, Severity.Good, after.Name, text),
            HostState.Recovering => new(EventKind.Host, Severity.Info, after.Name, text),
            HostState.SplitBrain or HostState.Fenced => new(EventKind.Ejection, Severity.Critical, after.Name, text, Error: after.Error),
            HostState.Suspect => new(EventKind.Host, Severity.Info, after.Name, text, Error: after.Error),
            _ => new(before.IsServing && after.IsServing && after.State is not (HostState.Lagging or HostState.Failing) ? EventKind.Host : EventKind.Ejection, Severity.Warning, after.Name, text, Error: after.Error),
        };
    }

    private static string Describe(HostState before, HostState after) => after switch
    {
        HostState.Healthy when before is HostState.Lagging => "has caught up",
        HostState.Healthy when before is HostState.Suspect or HostState.LagUnknown => "is healthy",
        HostState.Healthy => "serves again",
        HostState.Suspect => "missed a probe",
        HostState.Lagging => "lags behind",
        HostState.LagUnknown => "has an unknown lag",
        HostState.Down => "is down",
        HostState.Hung => "hangs",
        HostState.Recovering => "answers again and will serve soon",
        HostState.NoLogins => "accepts no new connections",
        HostState.Full => "has no connection slot left",
        HostState.Restarting => "is starting up or shutting down",
        HostState.Misconfigured => "is misconfigured",
        HostState.ForeignCluster => "belongs to another cluster",
        HostState.Fenced => "takes writes, but is not the cluster's primary: fenced",
        HostState.OldTimeline => "follows a timeline other than the cluster's",
        HostState.Failing => "fails statements that other hosts answer",
        HostState.ReadOnly => "refuses writes: its sessions are read-only by default",
        HostState.SplitBrain => "is one of several primaries",
        _ => "is unknown",
    };

    private Happening OfDrain(HostSnapshot host) => host.IsDrained
        ? new(EventKind.Override, Severity.Warning, host.Name, "is drained", OrderedBy)
        : new(EventKind.Override, Severity.Good, host.Name, "is restored", OrderedBy);

    private Happening? OfPrimary(HostSnapshot? before, HostSnapshot? after)
    {
        if (before?.Name == after?.Name) return null;
        // Only after the check: of two concurrent changes, the later one can be reported first, with the new primary on both sides.
        if (before is not null) _lastPrimary = before.Name;
        if (after is null) return new(EventKind.Failover, Severity.Critical, before!.Name, "no longer takes writes: there is no primary", Error: before.Error);
        if (_lastPrimary is null) return null;
        return after.Name == _lastPrimary
            ? new(EventKind.Failover, Severity.Good, after.Name, "takes writes again")
            : new(EventKind.Failover, Severity.Warning, after.Name, "is the primary now", $"in place of {_lastPrimary}, timeline {after.Answer?.Timeline}");
    }

    private Happening? OfForce(TopologySnapshot before, TopologySnapshot after) => (before.ForcedToPrimaryUntil > 0, after.ForcedToPrimaryUntil > 0) switch
    {
        (false, true) => new(EventKind.Override, Severity.Warning, null, "All reads are forced to the primary", OrderedBy),
        (true, false) => new(EventKind.Override, Severity.Good, null, "Reads are no longer forced to the primary"),
        _ => null,
    };

    private string OrderedBy => $"ordered by {by()}, in this process only";
}
