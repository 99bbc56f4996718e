using Microsoft.EntityFrameworkCore.Storage;

namespace ReplicaRouter;

/// <summary>A write in progress. Holds its connection open to determine the outcome.</summary>
internal sealed class Write : IDisposable, IAsyncDisposable
{
    private readonly IRelationalConnection _connection;
    private readonly ContextConnection? _routed;
    private readonly int _transactions;

    private Write(IRelationalConnection connection)
    {
        _connection = connection;
        // The provider creates and drops databases on connections of its own.
        _routed = connection as ContextConnection;
        _transactions = _routed is { IsAutoCommit: true } ? _routed.Transactions : -1;
    }

    public static Write Begin(IRelationalConnection connection)
    {
        connection.Open();
        return new Write(connection);
    }

    public static async ValueTask<Write> BeginAsync(IRelationalConnection connection, CancellationToken cancellationToken)
    {
        await connection.OpenAsync(cancellationToken).ConfigureAwait(false);
        return new Write(connection);
    }

    /// <summary>Runs an operation that writes.</summary>
    /// <exception cref="TransactionOutcomeUnknownException">Whether the write was committed is unknown.</exception>
    public static T Run<T>(IRelationalConnection connection, Func<T> operation)
    {
        using var write = Begin(connection);
        try
        {
            return operation();
        }
        catch (Exception e) when (write.IsOutcomeUnknown(e))
        {
            throw write.OutcomeUnknown(e);
        }
    }

    /// <inheritdoc cref="Run"/>
    public static async Task<T> RunAsync<T>(IRelationalConnection connection, Func<Task<T>> operation, CancellationToken cancellationToken)
    {
        var write = await BeginAsync(connection, cancellationToken).ConfigureAwait(false);
        await using var _ = write.ConfigureAwait(false);
        try
        {
            return await operation().ConfigureAwait(false);
        }
        catch (Exception e) when (write.IsOutcomeUnknown(e))
        {
            throw write.OutcomeUnknown(e);
        }
    }

    /// <summary>Returns whether the connection was lost during an auto-committed command, which leaves the outcome unknown.</summary>
    /// <remarks>In a transaction, nothing is committed until COMMIT.</remarks>
    public bool IsOutcomeUnknown(Exception exception) =>
        _routed is { IsLost: true } && _routed.Transactions == _transactions && LostAnswer.IsLost(CauseOf(exception));

    public TransactionOutcomeUnknownException OutcomeUnknown(Exception exception) => new(_routed!.Server, CauseOf(exception));

    public void Dispose() => _connection.Close();

    public async ValueTask DisposeAsync() => await _connection.CloseAsync().ConfigureAwait(false);

    // SaveChanges wraps the error of the server or the network.
    private static Exception CauseOf(Exception exception) =>
        exception is Microsoft.EntityFrameworkCore.DbUpdateException { InnerException: { } cause } ? cause : exception;
}
