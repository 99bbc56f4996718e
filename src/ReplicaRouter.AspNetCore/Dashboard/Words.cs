namespace ReplicaRouter.Dashboard;

/// <summary>The page's words for verdicts.</summary>
internal static class Words
{
    /// <summary>Returns why a host of a route's own group could not serve.</summary>
    /// <param name="reason">The name of a <see cref="Verdict"/>, from the router's metrics.</param>
    public static string OfVerdict(string reason) => Enum.TryParse<Verdict>(reason, out var verdict) ? OfVerdict(verdict) : reason;

    private static string OfVerdict(Verdict verdict) => verdict switch
    {
        Verdict.Eligible => "failed to open a connection",
        Verdict.Suspect => "missed a probe",
        Verdict.NotMember => "is not in the group",
        Verdict.IsPrimary => "is the primary now",
        Verdict.NotPrimary => "is a replica",
        Verdict.LabelsMissing => "lacks a required label",
        Verdict.Excluded => "has already failed the operation",
        Verdict.ForcedToPrimary => "is bypassed: reads are forced to the primary",
        Verdict.Drained => "is drained",
        Verdict.BehindSession => "has not replayed what a session needs",
        Verdict.Lagging => "lags beyond the limit",
        Verdict.LagUnknown => "has an unknown lag",
        Verdict.Unknown => "has not answered a probe recently",
        Verdict.Down => "is down",
        Verdict.Hung => "hangs",
        Verdict.Restarting => "is starting up or shutting down",
        Verdict.Misconfigured => "is misconfigured",
        Verdict.Failing => "fails statements that other hosts answer",
        Verdict.OldTimeline => "follows a timeline other than the cluster's",
        Verdict.Fenced => "takes writes, but is not the cluster's primary",
        Verdict.SplitBrain => "is one of several primaries",
        Verdict.ForeignCluster => "belongs to another cluster",
        _ => verdict.ToString(),
    };
}
