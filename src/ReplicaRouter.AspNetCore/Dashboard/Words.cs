namespace ReplicaRouter.Dashboard;

/// <summary>What the page says in place of the names of states and verdicts.</summary>
internal static class Words
{
    /// <summary>Why the best host of a route's own group could not serve.</summary>
    /// <param name="reason">The name of a <see cref="Verdict"/>, as the router's metrics give it.</param>
    public static string OfVerdict(string reason) => Enum.TryParse<Verdict>(reason, out var verdict) ? OfVerdict(verdict) : reason;

    private static string OfVerdict(Verdict verdict) => verdict switch
    {
        Verdict.Eligible => "failed when it was connected to",
        Verdict.Suspect => "missed a probe",
        Verdict.NotMember => "is not in the group",
        Verdict.IsPrimary => "is the primary now",
        Verdict.NotPrimary => "is a replica",
        Verdict.LabelsMissing => "lacks a label that was asked for",
        Verdict.Excluded => "had failed the same operation",
        Verdict.ForcedToPrimary => "gives way: reads are forced to the primary",
        Verdict.Drained => "is drained",
        Verdict.BehindSession => "had not yet replayed what a session needs",
        Verdict.Lagging => "lags beyond the limit",
        Verdict.LagUnknown => "has an unknown lag",
        Verdict.Unknown => "has not answered a probe lately",
        Verdict.Down => "is down",
        Verdict.Hung => "hangs",
        Verdict.Restarting => "is starting up or shutting down",
        Verdict.Misconfigured => "is misconfigured",
        Verdict.Failing => "fails statements that other hosts answer",
        Verdict.OldTimeline => "follows another timeline than the cluster",
        Verdict.Fenced => "takes writes, but is not the cluster's primary",
        Verdict.SplitBrain => "is one of several primaries",
        Verdict.ForeignCluster => "belongs to another cluster",
        _ => verdict.ToString(),
    };
}
