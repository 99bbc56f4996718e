using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Storage;

namespace ReplicaRouter;

/// <summary>A transaction that says so when its COMMIT got no answer.</summary>
internal sealed class RoutedTransaction(
    IRelationalConnection connection,
    DbTransaction transaction,
    Guid transactionId,
    IDiagnosticsLogger<DbLoggerCategory.Database.Transaction> logger,
    bool transactionOwned,
    ISqlGenerationHelper sqlGenerationHelper)
    : RelationalTransaction(connection, transaction, transactionId, logger, transactionOwned, sqlGenerationHelper)
{
    private readonly string _server = (connection as ContextConnection)?.Server ?? "the primary";

    public override void Commit()
    {
        try
        {
            base.Commit();
        }
        catch (Exception e) when (IsOutcomeUnknown(e))
        {
            throw new TransactionOutcomeUnknownException(_server, e);
        }
    }

    public override async Task CommitAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            await base.CommitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (IsOutcomeUnknown(e))
        {
            throw new TransactionOutcomeUnknownException(_server, e);
        }
    }

    // A caller who cancels knows that, and no strategy retries it.
    private static bool IsOutcomeUnknown(Exception exception) => exception is not OperationCanceledException && !LostAnswer.SaysRolledBack(exception);
}
