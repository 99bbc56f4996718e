namespace ReplicaRouter.Opening;

/// <summary>Reports callers' failures on a host to its monitor immediately.</summary>
internal sealed class FailureReporter(TopologyStore store)
{
    /// <summary>
    /// Reports an error. <paramref name="startedAt"/>: when the failed work began, on a connection that was open by then. Later evidence about the host outweighs the error.
    /// </summary>
    /// <returns>Whether the host caused the error, so that another host can succeed.</returns>
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
                // Already known: the reason why the work was abandoned.
                break;
            case FailureKind.Timeout:
                // A long query is as likely as a hung host. A probe with its own deadline shows which.
                monitor.Verify(isLogin);
                break;
            case FailureKind.Terminated or FailureKind.RecoveryConflict or FailureKind.ReadOnly:
                // A terminated backend, a recovery conflict or a refused write does not make a host unhealthy. The probe shows.
                monitor.Wake();
                break;
            // A pooler can refuse one route's settings only; an additional database can be missing or have its own limit. The probe's own login shows.
            case FailureKind.Misconfigured when isRefusal:
            case FailureKind.Full or FailureKind.NoPassword when isRefusal && pool.Plan.Database is not null:
                monitor.Verify(isLoginStalled: true);
                break;
            case FailureKind.Full or FailureKind.NoPassword when isRefusal:
                // This affects every login.
                monitor.ReportLogin(FailureClassifier.Describe(exception, pool.Host), startedAt);
                break;
            default:
                monitor.Report(FailureClassifier.Describe(exception, pool.Host, pool.Plan.Database, site), startedAt);
                break;
        }

        return true;
    }
}
