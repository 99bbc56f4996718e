using Microsoft.Extensions.Logging;
using Npgsql;

namespace ReplicaRouter.Execution;

/// <summary>Looks up in <see cref="RetryTable"/> what to do about failed work, and handles the side effects.</summary>
internal sealed class RetryRules(TopologyStore store, HostRegistry registry, FailureReporter failures, RoutingCounters counters, TimeProvider time, ILogger logger)
{
    private readonly Budget _budget = new(time);

    /// <summary>Records that work succeeded. If its first attempt failed elsewhere, the error is specific to that host.</summary>
    public void Succeeded(Attempt attempt)
    {
        _budget.Earn();
        if (attempt.Failed?.FirstRun is not var (failed, error)) return;
        var host = registry.PoolsOf(failed);
        // Another host can have its index by now.
        if (!host.Host.IsSameMember(failed) || host.Faults.Record(host.All.Sum(pool => pool.Commands)) is not { } hold) return;
        host.Monitor.ReportFaulty($"{host.Host.Endpoint} fails statements that other hosts answer, because of {HostFaults.Describe(error.SqlState)}.", hold);
    }

    /// <summary>Reports a failure to the host's monitor, decides what to do about the work, and prepares the operation for a retry if there is one.</summary>
    public RetryDecision Decide(Exception exception, Attempt attempt, HostPool pool, CommandFlow flow, long startedAt, int run, int? rollbacks)
    {
        var failed = AttemptFailure.OfWork(exception, attempt, flow, isReplica: store.Current.At(pool.Host.Index) is { Role: HostRole.Replica }, run, rollbacks);
        // The server closed an idle connection just as the first command was sent. The host has not failed.
        var hadEndedIdle = failed is { Phase: AttemptPhase.FirstCommand, Detail: FailureDetail.IdleTimeout };
        if (failed.Kind != FailureKind.None && !hadEndedIdle) failures.Report(exception, pool, startedAt, flow.Site);
        var decision = RetryTable.Decide(failed);
        // Only a retry uses the budget.
        if (decision.TakesFromBudget() && !TrySpend(pool)) decision = RetryTable.Decide(failed with { IsBudgetSpent = true });
        switch (decision)
        {
            case RetryDecision.RetryHere:
                break;
            case RetryDecision.RetryElsewhere:
                var hosts = attempt.Exclude(pool.Host, exception, time.GetTimestamp());
                if (failed.Kind == FailureKind.RecoveryConflict) hosts.Conflicts++;
                OperationTelemetry.Retried(pool.Host, failed.Kind);
                Count(failed.Kind == FailureKind.Hung, failed.Kind.ToString(), pool);
                break;
            case RetryDecision.RetryOnceElsewhere:
                var error = (PostgresException)exception;
                attempt.Exclude(pool.Host, exception, time.GetTimestamp()).FirstRun = (pool.Host, error);
                Count(wasHung: false, error.SqlState, pool);
                break;
            default:
                counters.Failures.Note(attempt.Plan, pool.Host, exception, time);
                break;
        }

        return decision;
    }

    private bool TrySpend(HostPool pool)
    {
        if (_budget.TrySpend()) return true;
        counters.Count(RouterEvent.RetryRefused);
        Log.RetryBudgetSpent(logger, pool.Plan.Name, pool.Host.Name);
        return false;
    }

    private void Count(bool wasHung, string why, HostPool pool)
    {
        counters.Count(!pool.Plan.IsReadOnly ? RouterEvent.WriteRetry : wasHung ? RouterEvent.Moved : RouterEvent.Retry);
        if (wasHung) Log.Moved(logger, pool.Plan.Name, pool.Host.Name);
        else Log.RetriedElsewhere(logger, pool.Plan.Name, pool.Host.Name, why);
    }
}
