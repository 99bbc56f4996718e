using Microsoft.Extensions.Logging;
using Npgsql;

namespace ReplicaRouter;

/// <summary>Decides what becomes of work that failed: whether it is run again, and whether its outcome is known.</summary>
internal sealed class RetryRules(ConnectionOpener opener, RoutingCounters counters, TimeProvider time, ILogger logger)
{
    /// <summary>Runs of one read that may fail. With three failures in a row, the next is not the host's fault; that a host was lost meanwhile always is.</summary>
    private const int MaxRuns = 3;

    // As much as was under way on a host that fails may be run again at once; for as long as it lasts, one in five.
    private readonly Budget _budget = new(share: 0.2, most: 100, perSecond: 10, time);

    /// <summary>Notes that work was done. If its first run failed elsewhere, that host alone has that error.</summary>
    public void Succeeded(Attempt attempt)
    {
        _budget.Earn();
        if (attempt.FailedRun is not { } failed) return;
        var host = failed.Pool.Owner;
        if (host.Faults.Record(host.Commands) is not { } hold) return;
        host.Monitor.ReportFaulty($"{host.Host.Endpoint} fails statements that other hosts answer: they met {HostFaults.Describe(failed.Error.SqlState)}.", hold);
    }

    /// <summary>Tells the monitor of a failure, and whether the work may be run again: elsewhere, where its host failed it.</summary>
    public bool IsToBeRunAgain(Exception exception, Attempt attempt, HostPool pool, CommandFlow flow, long startedAt, int run)
    {
        if (MayRunAgain(exception, attempt, pool, flow, startedAt, run)) return true;
        counters.Failures.Note(attempt.Plan, pool.Host, exception, time);
        return false;
    }

    private bool MayRunAgain(Exception exception, Attempt attempt, HostPool pool, CommandFlow flow, long startedAt, int run)
    {
        if (HadEndedIdle(exception, flow)) return attempt.MayRetry && run < MaxRuns;
        var kind = KindOf(exception, flow);
        if (kind == FailureKind.None) return IsToBeRunOnceElsewhere(exception, attempt, pool);
        opener.Report(exception, pool, startedAt, SiteOf(flow));
        if (!attempt.MayRetry || (run >= MaxRuns && kind != FailureKind.Hung)) return false;
        if (!(pool.Plan.IsReadOnly ? IsReadToBeRunAgain(kind, attempt) : IsProvablyNotExecuted(exception, kind, flow))) return false;
        if (!TrySpend(attempt, pool)) return false;
        attempt.Exclude(pool.Host, exception, time.GetTimestamp());
        Count(kind, attempt, pool);
        return true;
    }

    /// <summary>Whether a read met an error that another host may well not have, and is run once more there. If that answers, the error is the host's.</summary>
    private bool IsToBeRunOnceElsewhere(Exception exception, Attempt attempt, HostPool pool)
    {
        if (!pool.Plan.IsReadOnly || !attempt.MayRetry || attempt.FailedRun is not null) return false;
        if (exception is not PostgresException error || !HostFaults.MayBeOfHost(error, opener.IsReplica(pool)) || !TrySpend(attempt, pool)) return false;
        attempt.FailedRun = new FailedRun(pool, error);
        attempt.Exclude(pool.Host, exception, time.GetTimestamp());
        counters.CountRetry();
        Log.RetriedElsewhere(logger, attempt.Plan.Name, pool.Host.Name, error.SqlState);
        return true;
    }

    private bool TrySpend(Attempt attempt, HostPool pool)
    {
        if (_budget.TrySpend()) return true;
        counters.CountRetryRefused();
        Log.RetryBudgetSpent(logger, attempt.Plan.Name, pool.Host.Name);
        return false;
    }

    /// <summary>Whether something was sent on a writable route of which nobody knows what became of it.</summary>
    public static bool IsOutcomeUnknown(Exception exception, HostPool pool, CommandFlow flow)
    {
        if (pool.Plan.IsReadOnly) return false;
        // What is given up goes on elsewhere, and may still send something.
        if (flow.IsGivenUp) return true;
        return flow.HasSent && flow.IsBroken && LostAnswer.IsLost(exception);
    }

    /// <summary>What a failure means for the host. The work does other things as well: what did not break its connection is none of the host's.</summary>
    private static FailureKind KindOf(Exception exception, CommandFlow flow) =>
        exception is NpgsqlException ? FailureClassifier.Classify(exception, SiteOf(flow)) : FailureKind.None;

    private static FailureSite SiteOf(CommandFlow flow) => flow.IsBroken ? FailureSite.BrokenConnection : FailureSite.OpenConnection;

    private static bool IsReadToBeRunAgain(FailureKind kind, Attempt attempt) => kind switch
    {
        // A command that ran into its time-out is a slow query as likely as a slow host. The probes tell which.
        FailureKind.Timeout or FailureKind.ReadOnly => false,
        FailureKind.RecoveryConflict => attempt.Conflicts++ == 0,
        _ => true,
    };

    /// <summary>Whether the server itself said of the very first command that it did not do it.</summary>
    /// <remarks>
    /// A backend that is told to end (57P01) says so only between commands or in the midst of one, which it then rolls back: it holds such interrupts off
    /// while it commits, and when it has committed and waits for a synchronous standby, it goes without this message. Source: PostgreSQL's
    /// <c>ProcessInterrupts</c>, <c>CommitTransaction</c> and <c>SyncRepWaitForLSN</c>. A backend that dies with its server says nothing, or 57P02 at any time.
    /// </remarks>
    private static bool IsProvablyNotExecuted(Exception exception, FailureKind kind, CommandFlow flow) => flow.IsFirstCommand && kind switch
    {
        FailureKind.ReadOnly => flow.IsOnStandby,
        FailureKind.Restarting => true,
        FailureKind.Terminated => exception is PostgresException { SqlState: PostgresErrorCodes.AdminShutdown, InvariantSeverity: "FATAL" },
        _ => false,
    };

    /// <summary>
    /// Whether the server had ended the connection for being idle, which crossed the very first command on its way. It takes no command then, or rolls back
    /// the one that it has begun, as with 57P01. Nothing has failed: this is no retry that counts, and the same host does.
    /// </summary>
    private static bool HadEndedIdle(Exception exception, CommandFlow flow) =>
        flow.IsFirstCommand && exception is PostgresException { SqlState: FailureClassifier.IdleSessionTimeout, InvariantSeverity: "FATAL" };

    private void Count(FailureKind kind, Attempt attempt, HostPool pool)
    {
        if (!pool.Plan.IsReadOnly) counters.CountWriteRetry();
        else if (kind == FailureKind.Hung) counters.CountMoved();
        else counters.CountRetry();
        OperationTelemetry.Retried(pool.Host, kind);
        if (kind == FailureKind.Hung) Log.Moved(logger, attempt.Plan.Name, pool.Host.Name);
        else Log.RetriedElsewhere(logger, attempt.Plan.Name, pool.Host.Name, kind.ToString());
    }
}
