namespace ReplicaRouter.Opening;

/// <summary>Reports to a host's monitor at once what callers met there.</summary>
internal sealed class FailureReporter(TopologyStore store)
{
    /// <summary>Reports an error. What failed began at <paramref name="startedAt"/>, with a connection that was open by then: later evidence of the host outweighs it.</summary>
    /// <returns>Whether the error was the host's, so that another host may do better.</returns>
    public bool Report(Exception exception, HostPool pool, long startedAt, FailureSite site)
    {
        var kind = FailureClassifier.Classify(exception, site);
        var isLogin = site == FailureSite.Opening;
        var isRefusal = isLogin && store.Current.At(pool.Host.Index) is { IsServing: true, LastAnswered: not null };
        var monitor = pool.Owner.Monitor;
        switch (kind)
        {
            case FailureKind.None:
                return false;
            case FailureKind.Hung:
                // It is why the work was given up: nothing new.
                break;
            case FailureKind.Timeout:
                // A long query as likely as a host that hangs. Asked with a deadline of its own, the host tells which.
                monitor.Verify(isLogin);
                break;
            case FailureKind.Terminated or FailureKind.RecoveryConflict or FailureKind.ReadOnly:
                // One terminated backend, one query in the way of replay or a refused write is no sick host. The probe will tell.
                monitor.Wake();
                break;
            // A pooler may refuse what one route asks for and no other does, and a further database may not be there, or have a limit of its own: the probe's own login tells.
            case FailureKind.Misconfigured when isRefusal:
            case FailureKind.Full or FailureKind.NoPassword when isRefusal && pool.Plan.Database is not null:
                monitor.Verify(isLoginStalled: true);
                break;
            case FailureKind.Full or FailureKind.NoPassword when isRefusal:
                // That holds for all.
                monitor.ReportLogin(FailureClassifier.Describe(exception, pool.Host), startedAt);
                break;
            default:
                monitor.Report(FailureClassifier.Describe(exception, pool.Host, pool.Plan.Database, site), startedAt);
                break;
        }

        return true;
    }
}
