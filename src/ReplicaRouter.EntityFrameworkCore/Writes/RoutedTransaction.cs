using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

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
        catch (InvalidOperationException e) when (e.InnerException is NpgsqlException lost)
        {
            throw NotCommitted(lost);
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
        catch (InvalidOperationException e) when (e.InnerException is NpgsqlException lost)
        {
            throw NotCommitted(lost);
        }
        catch (Exception e) when (IsOutcomeUnknown(e))
        {
            throw new TransactionOutcomeUnknownException(_server, e);
        }
    }

    /// <summary>
    /// The transaction was lost before its COMMIT, in something that EF does after saving and whose failure it passes over: the release of its
    /// savepoint. What Npgsql then says of the COMMIT looks like a fault of the caller's; a strategy shall know that it was the server's.
    /// </summary>
    private static NpgsqlException NotCommitted(NpgsqlException lost) => new("The connection was lost before COMMIT was sent: nothing was committed.", lost);

    // A caller who cancels knows that, and no strategy retries it.
    private static bool IsOutcomeUnknown(Exception exception) => exception is not OperationCanceledException && !LostAnswer.SaysRolledBack(exception);
}
