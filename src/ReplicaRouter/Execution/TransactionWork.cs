using System.Data;
using Npgsql;

namespace ReplicaRouter.Execution;

/// <summary>Asynchronous work in a transaction, which is committed at the end.</summary>
internal sealed class TransactionWork<TState, T>(
    Func<NpgsqlTransaction, TState, CancellationToken, Task<T>> work, TState state, IsolationLevel isolationLevel, OutcomeResolver outcomes) : Work<T>
{
    public override bool IsTransaction => true;

    public override async ValueTask<T> RunAsync(NpgsqlConnection connection, CommandFlow flow, CancellationToken stop)
    {
        var transaction = await connection.BeginTransactionAsync(isolationLevel, stop).ConfigureAwait(false);
        await using var _ = transaction.ConfigureAwait(false);
        var result = await work(transaction, state, stop).ConfigureAwait(false);
        // Without a connection, the work has ended the transaction itself, and CommitAsync throws.
        flow.BeginCommit(transaction.Connection is null ? TransactionMark.None : await outcomes.MarkAsync(transaction, async: true, stop).ConfigureAwait(false));
        // A COMMIT that was sent can't be undone: cancelling it would only lose the answer.
        await transaction.CommitAsync(CancellationToken.None).ConfigureAwait(false);
        return result;
    }
}
