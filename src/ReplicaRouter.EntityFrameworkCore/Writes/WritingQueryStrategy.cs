using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;

namespace ReplicaRouter;

/// <summary>Runs a query that can write. If its connection is lost, the wrapped strategy sees an unknown outcome, which it does not retry.</summary>
internal sealed class WritingQueryStrategy(IExecutionStrategy strategy, ContextConnection connection) : IExecutionStrategy
{
    public bool RetriesOnFailure => strategy.RetriesOnFailure;

    public TResult Execute<TState, TResult>(TState state, Func<DbContext, TState, TResult> operation, Func<DbContext, TState, ExecutionResult<TResult>>? verifySucceeded) =>
        strategy.Execute(state, (context, given) => Write.Run(connection, () => operation(context, given)), verifySucceeded);

    public Task<TResult> ExecuteAsync<TState, TResult>(
        TState state,
        Func<DbContext, TState, CancellationToken, Task<TResult>> operation,
        Func<DbContext, TState, CancellationToken, Task<ExecutionResult<TResult>>>? verifySucceeded,
        CancellationToken cancellationToken = default) =>
        strategy.ExecuteAsync(state, (context, given, ct) => Write.RunAsync(connection, () => operation(context, given, ct), ct), verifySucceeded, cancellationToken);
}
