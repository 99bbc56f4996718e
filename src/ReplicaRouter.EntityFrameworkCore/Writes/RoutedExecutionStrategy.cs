using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;

namespace ReplicaRouter;

/// <summary>
/// Adds two things to a strategy that retries. A query that failed because of its host is retried on another host. An unknown outcome is checked with
/// the caller's <c>verifySucceeded</c>, if there is one, but never treated as a failure.
/// </summary>
internal sealed class RoutedExecutionStrategy(IExecutionStrategy strategy) : IExecutionStrategy
{
    public bool RetriesOnFailure => strategy.RetriesOnFailure;

    public TResult Execute<TState, TResult>(TState state, Func<DbContext, TState, TResult> operation, Func<DbContext, TState, ExecutionResult<TResult>>? verifySucceeded) =>
        strategy.Execute(state, (context, given) =>
        {
            try
            {
                return operation(context, given);
            }
            catch (Exception e)
            {
                Note(context, e);
                if (verifySucceeded is not null && OutcomeUnverifiedException.Of(e) is { } unverified) throw unverified;
                throw;
            }
        }, verifySucceeded);

    public Task<TResult> ExecuteAsync<TState, TResult>(
        TState state,
        Func<DbContext, TState, CancellationToken, Task<TResult>> operation,
        Func<DbContext, TState, CancellationToken, Task<ExecutionResult<TResult>>>? verifySucceeded,
        CancellationToken cancellationToken = default) =>
        strategy.ExecuteAsync(state, async (context, given, ct) =>
        {
            try
            {
                return await operation(context, given, ct).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                Note(context, e);
                if (verifySucceeded is not null && OutcomeUnverifiedException.Of(e) is { } unverified) throw unverified;
                throw;
            }
        }, verifySucceeded, cancellationToken);

    private static void Note(DbContext context, Exception exception) => (context.GetService<IRelationalConnection>() as ContextConnection)?.Failed(exception);
}
