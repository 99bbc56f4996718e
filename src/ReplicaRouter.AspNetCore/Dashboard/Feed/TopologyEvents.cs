namespace ReplicaRouter.Dashboard.Feed;

/// <summary>An event that has no number and time yet.</summary>
/// <param name="Kind">What kind of event.</param>
/// <param name="Severity">How bad it is.</param>
/// <param name="Host">The host, if it is about one.</param>
/// <param name="Text">What happened.</param>
/// <param name="Reason">Why, for everybody.</param>
/// <param name="Error">The error's text, for operators.</param>
internal readonly record struct Happening(EventKind Kind, Severity Severity, string? Host, string Text, string? Reason = null, string? Error = null);

/// <summary>Tells what happened between one topology and the next.</summary>
/// <param name="by">Who gives the order that is being carried out.</param>
internal sealed class TopologyEvents(Func<string> by)
{
    // The last primary that there was, through times without one.
    private string? _lastPrimary;

    /// <summary>Events in the order in which people would tell them. One call at a time.</summary>
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
        // The first observation of a host that is well is no event.
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
        HostState.Recovering => "answers again, and serves soon",
        HostState.NoLogins => "lets no caller log in",
        HostState.Full => "has no connection slot left",
        HostState.Restarting => "is starting up or shutting down",
        HostState.Misconfigured => "is misconfigured",
        HostState.ForeignCluster => "belongs to another cluster",
        HostState.Fenced => "takes writes, but is not the cluster's primary: fenced",
        HostState.OldTimeline => "follows another timeline than the cluster",
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
        // Not before: of two changes that come at once, the later one may be told first, and it has the new primary on both sides.
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
