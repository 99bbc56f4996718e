using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.EntityFrameworkCore.Update;
using Microsoft.EntityFrameworkCore.Update.Internal;

namespace ReplicaRouter;

/// <summary>Saves changes, and reports an unknown outcome as such, because a retry could save twice.</summary>
internal sealed class RoutedBatchExecutor(ICurrentDbContext currentContext, IDiagnosticsLogger<DbLoggerCategory.Update> logger) : BatchExecutor(currentContext, logger)
{
    public override int Execute(IEnumerable<ModificationCommandBatch> commandBatches, IRelationalConnection connection)
    {
        using var write = Write.Begin(connection);
        var (database, behavior) = BeginSaving();
        try
        {
            return base.Execute(commandBatches, connection);
        }
        catch (Exception e) when (write.IsOutcomeUnknown(e))
        {
            throw new DbUpdateException(e.Message, write.OutcomeUnknown(e));
        }
        finally
        {
            database.AutoTransactionBehavior = behavior;
        }
    }

    public override async Task<int> ExecuteAsync(IEnumerable<ModificationCommandBatch> commandBatches, IRelationalConnection connection, CancellationToken cancellationToken = default)
    {
        var write = await Write.BeginAsync(connection, cancellationToken).ConfigureAwait(false);
        await using var _ = write.ConfigureAwait(false);
        var (database, behavior) = BeginSaving();
        try
        {
            return await base.ExecuteAsync(commandBatches, connection, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (write.IsOutcomeUnknown(e))
        {
            throw new DbUpdateException(e.Message, write.OutcomeUnknown(e));
        }
        finally
        {
            database.AutoTransactionBehavior = behavior;
        }
    }

    /// <summary>Wraps even a single statement in a transaction if a strategy would retry the save: only a COMMIT's outcome can be looked up.</summary>
    /// <returns>What to restore afterwards.</returns>
    private (DatabaseFacade Database, AutoTransactionBehavior Behavior) BeginSaving()
    {
        var database = CurrentContext.Context.Database;
        var behavior = database.AutoTransactionBehavior;
        if (behavior == AutoTransactionBehavior.WhenNeeded && ExecutionStrategy.Current is not null) database.AutoTransactionBehavior = AutoTransactionBehavior.Always;
        return (database, behavior);
    }
}
