namespace ReplicaRouter;

/// <summary>Reports to a host's monitor at once what callers met there.</summary>
internal sealed class FailureReporter(TopologyStore store)
{
    /// <param name="exception">The error.</param>
    /// <param name="pool">Where it was met.</param>
    /// <param name="startedAt">When what failed was begun, with a connection that was open by then: later evidence of the host outweighs it.</param>
    /// <param name="site">On what it was met.</param>
    /// <returns>Whether the error was the host's, so that another host may do better.</returns>
    public bool Report(Exception exception, HostPool pool, long startedAt, FailureSite site)
    {
        var kind = FailureClassifier.Classify(exception, site);
        var isLogin = site == FailureSite.Opening;
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
            case FailureKind.Misconfigured or FailureKind.Full or FailureKind.NoPassword when isLogin && IsServing(pool):
                ReportRefusedLogin(kind, exception, pool, startedAt);
                break;
            default:
                monitor.Report(FailureClassifier.Describe(exception, pool.Host, pool.Plan.Database, site), startedAt);
                break;
        }

        return true;
    }

    /// <summary>
    /// A pooler may refuse what one route asks for and no other does, and a further database may not be there, or have a limit of its own: the probe's own login tells.
    /// That a host is full, or that there is no password for it, holds for all.
    /// </summary>
    private static void ReportRefusedLogin(FailureKind kind, Exception exception, HostPool pool, long startedAt)
    {
        if (kind == FailureKind.Misconfigured || pool.Plan.Database is not null) pool.Owner.Monitor.Verify(isLoginStalled: true);
        else pool.Owner.Monitor.ReportLogin(FailureClassifier.Describe(exception, pool.Host), startedAt);
    }

    private bool IsServing(HostPool pool) => store.Current.At(pool.Host.Index) is { IsServing: true, LastAnswered: not null };
}
