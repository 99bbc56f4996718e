using Microsoft.Extensions.Logging;
using Npgsql;

namespace ReplicaRouter;

/// <summary>Looks up in <see cref="RetryTable"/> what becomes of work that failed, and does what goes with it.</summary>
internal sealed class RetryRules(TopologyStore store, FailureReporter failures, RoutingCounters counters, TimeProvider time, ILogger logger)
{
    // As much as was under way on a host that fails may be run again at once; for as long as it lasts, one in five.
    private readonly Budget _budget = new(share: 0.2, most: 100, perSecond: 10, time);

    /// <summary>Notes that work was done. If its first run failed elsewhere, that host alone has that error.</summary>
    public void Succeeded(Attempt attempt)
    {
        _budget.Earn();
        if (attempt.Failed?.FirstRun is not var (pool, error)) return;
        var host = pool.Owner;
        if (host.Faults.Record(host.Commands) is not { } hold) return;
        host.Monitor.ReportFaulty($"{host.Host.Endpoint} fails statements that other hosts answer: they met {HostFaults.Describe(error.SqlState)}.", hold);
    }

    /// <summary>Reports a failure to the host's monitor, decides what becomes of the work, and prepares the operation for another run if there is one.</summary>
    /// <param name="exception">What the work met.</param>
    /// <param name="attempt">The operation.</param>
    /// <param name="pool">Where it ran.</param>
    /// <param name="flow">What it has sent.</param>
    /// <param name="startedAt">When the run began.</param>
    /// <param name="run">The number of the run.</param>
    /// <param name="rollbacks">Transactions that were rolled back before; null for work that is not in a transaction of ours.</param>
    public RetryDecision Decide(Exception exception, Attempt attempt, HostPool pool, CommandFlow flow, long startedAt, int run, int? rollbacks = null)
    {
        var failed = FailedTry.OfWork(exception, attempt, flow, isReplica: store.Current.At(pool.Host.Index) is { Role: HostRole.Replica }, run, rollbacks);
        // That the server has ended an idle connection, which crossed the very first command on its way, is no failure of the host.
        var hadEndedIdle = failed is { Phase: TryPhase.FirstCommand, Detail: FailureDetail.IdleTimeout };
        if (failed.Kind != FailureKind.None && !hadEndedIdle) failures.Report(exception, pool, startedAt, flow.Site);
        var decision = RetryTable.Decide(failed);
        // Only what would be run again asks for the budget.
        if (decision.TakesFromBudget() && !TrySpend(attempt, pool)) decision = RetryTable.Decide(failed with { IsBudgetSpent = true });
        switch (decision)
        {
            case RetryDecision.AgainHere:
                break;
            case RetryDecision.AgainElsewhere:
                var hosts = attempt.Exclude(pool.Host, exception, time.GetTimestamp());
                if (failed.Kind == FailureKind.RecoveryConflict) hosts.Conflicts++;
                Count(failed.Kind, attempt, pool);
                break;
            case RetryDecision.AgainOnceElsewhere:
                var error = (PostgresException)exception;
                attempt.Exclude(pool.Host, exception, time.GetTimestamp()).FirstRun = (pool, error);
                counters.Count(RouterEvent.Retry);
                Log.RetriedElsewhere(logger, attempt.Plan.Name, pool.Host.Name, error.SqlState);
                break;
            default:
                counters.Failures.Note(attempt.Plan, pool.Host, exception, time);
                break;
        }

        return decision;
    }

    private bool TrySpend(Attempt attempt, HostPool pool)
    {
        if (_budget.TrySpend()) return true;
        counters.Count(RouterEvent.RetryRefused);
        Log.RetryBudgetSpent(logger, attempt.Plan.Name, pool.Host.Name);
        return false;
    }

    private void Count(FailureKind kind, Attempt attempt, HostPool pool)
    {
        if (!pool.Plan.IsReadOnly) counters.Count(RouterEvent.WriteRetry);
        else if (kind == FailureKind.Hung) counters.Count(RouterEvent.Moved);
        else counters.Count(RouterEvent.Retry);
        OperationTelemetry.Retried(pool.Host, kind);
        if (kind == FailureKind.Hung) Log.Moved(logger, attempt.Plan.Name, pool.Host.Name);
        else Log.RetriedElsewhere(logger, attempt.Plan.Name, pool.Host.Name, kind.ToString());
    }
}
