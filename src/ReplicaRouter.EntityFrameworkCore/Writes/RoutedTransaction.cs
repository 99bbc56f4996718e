using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace ReplicaRouter;

/// <summary>
/// Reports an unknown outcome when its COMMIT gets no answer. If a strategy would retry it, it first looks up whether it was committed.
/// </summary>
internal sealed class RoutedTransaction(
    IRelationalConnection connection,
    DbTransaction transaction,
    Guid transactionId,
    IDiagnosticsLogger<DbLoggerCategory.Database.Transaction> logger,
    bool transactionOwned,
    ISqlGenerationHelper sqlGenerationHelper)
    : RelationalTransaction(connection, transaction, transactionId, logger, transactionOwned, sqlGenerationHelper)
{
    private readonly ContextConnection? _routed = connection as ContextConnection;
    private readonly string _server = (connection as ContextConnection)?.Server ?? "the primary";

    public override void Commit()
    {
        var mark = IsToBeMarked ? _routed!.Router.Engine.Outcomes.MarkAsync(Transaction, async: false, CancellationToken.None).Wait() : TransactionMark.None;
        try
        {
            base.Commit();
        }
        catch (InvalidOperationException e) when (e.InnerException is NpgsqlException lost)
        {
            throw NeverSent(lost);
        }
        catch (Exception e) when (IsOutcomeUnknown(e))
        {
            // Blocks only a caller whose server was just lost.
            ThrowUnlessCommitted(Task.Run(() => ResolveAsync(mark, CancellationToken.None)).GetAwaiter().GetResult(), mark, e);
            ClearTransaction();
        }
    }

    public override async Task CommitAsync(CancellationToken cancellationToken = default)
    {
        var mark = IsToBeMarked ? await _routed!.Router.Engine.Outcomes.MarkAsync(Transaction, async: true, cancellationToken).ConfigureAwait(false) : TransactionMark.None;
        try
        {
            await base.CommitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (InvalidOperationException e) when (e.InnerException is NpgsqlException lost)
        {
            throw NeverSent(lost);
        }
        catch (Exception e) when (IsOutcomeUnknown(e))
        {
            ThrowUnlessCommitted(await ResolveAsync(mark, cancellationToken).ConfigureAwait(false), mark, e);
            await ClearTransactionAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    private NpgsqlTransaction Transaction => (NpgsqlTransaction)this.GetDbTransaction();

    /// <summary>Whether a strategy would retry the transaction. On a connection that is already lost, there is no COMMIT to look up.</summary>
    private bool IsToBeMarked => ExecutionStrategy.Current is not null && _routed is { MayWrite: true, IsForeign: false, IsLost: false };

    private Task<TransactionOutcome> ResolveAsync(TransactionMark mark, CancellationToken cancellationToken) =>
        _routed?.ResolveAsync(mark, cancellationToken) ?? Task.FromResult(TransactionOutcome.Unknown);

    private void ThrowUnlessCommitted(TransactionOutcome outcome, TransactionMark mark, Exception cause)
    {
        if (outcome == TransactionOutcome.RolledBack) throw new TransactionNotCommittedException($"The connection to '{_server}' was lost during COMMIT; the transaction was not committed.", cause);
        if (outcome == TransactionOutcome.Unknown) throw new TransactionOutcomeUnknownException(_server, cause) { Resolve = ct => ResolveAsync(mark, ct) };
    }

    /// <summary>
    /// The connection was lost before COMMIT, in a step after saving whose failure EF ignores: the release of its savepoint. Npgsql then reports the
    /// COMMIT like a fault of the caller; strategies must see that the server was at fault.
    /// </summary>
    private static TransactionNotCommittedException NeverSent(NpgsqlException lost) => new("The connection was lost before COMMIT was sent: nothing was committed.", lost);

    // The caller knows about its own cancellation, and no strategy retries it.
    private static bool IsOutcomeUnknown(Exception exception) => exception is not OperationCanceledException && !LostAnswer.SaysRolledBack(exception);
}
