using Microsoft.EntityFrameworkCore.Storage;

namespace ReplicaRouter;

/// <summary>A write under way, with its connection held open, so that it can be told how it ended.</summary>
internal sealed class Write : IDisposable, IAsyncDisposable
{
    private readonly IRelationalConnection _connection;
    private readonly ContextConnection? _routed;
    private readonly int _transactions;

    private Write(IRelationalConnection connection)
    {
        _connection = connection;
        // The provider has connections of its own to create and drop databases.
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

    /// <summary>Runs something that writes.</summary>
    /// <exception cref="TransactionOutcomeUnknownException">It is not known whether it was committed.</exception>
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

    /// <summary>Whether the connection was lost under something that is committed by itself, so that nobody knows whether it was.</summary>
    /// <remarks>In a transaction it is known that nothing was committed, up to its COMMIT.</remarks>
    public bool IsOutcomeUnknown(Exception exception) =>
        _routed is { IsLost: true } && _routed.Transactions == _transactions && LostAnswer.IsLost(CauseOf(exception));

    public TransactionOutcomeUnknownException OutcomeUnknown(Exception exception) => new(_routed!.Server, CauseOf(exception));

    public void Dispose() => _connection.Close();

    public async ValueTask DisposeAsync() => await _connection.CloseAsync().ConfigureAwait(false);

    // SaveChanges wraps what the server or the network said.
    private static Exception CauseOf(Exception exception) =>
        exception is Microsoft.EntityFrameworkCore.DbUpdateException { InnerException: { } cause } ? cause : exception;
}
