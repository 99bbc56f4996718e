using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace ReplicaRouter;

/// <summary>A connection of a context, which it gets from the router at each opening and returns at each closing.</summary>
internal abstract class RouterConnection(RelationalConnectionDependencies dependencies, DatabaseRouter router) : RelationalConnection(dependencies)
{
    // For callers that read the state while there is no connection.
    private static readonly NpgsqlConnection s_closed = new();

    [AllowNull]
    public override DbConnection DbConnection
    {
        get => Current ?? s_closed;
        set => SetDbConnection(value, contextOwnsConnection: false);
    }

    public DatabaseRouter Router => router;

    /// <summary>The connection in use. A broken one stays until it is replaced.</summary>
    protected NpgsqlConnection? Current { get; set; }

    protected abstract NpgsqlConnection OpenRouted();

    protected abstract ValueTask<NpgsqlConnection> OpenRoutedAsync(CancellationToken cancellationToken);

    protected override void OpenDbConnection(bool errorsExpected) => Replace(OpenRouted());

    // Usually there is an idle connection, and the task has completed: the query then needs no state machine.
    protected override Task OpenDbConnectionAsync(bool errorsExpected, CancellationToken cancellationToken)
    {
        var opening = OpenRoutedAsync(cancellationToken);
        if (!opening.IsCompletedSuccessfully) return ReplaceAsync(opening);
        Replace(opening.Result);
        return Task.CompletedTask;
    }

    protected override void CloseDbConnection() => Replace(null);

    protected override Task CloseDbConnectionAsync()
    {
        var closing = Current is { } connection ? connection.DisposeAsync() : default;
        Current = null;
        return closing.AsTask();
    }

    protected override void ResetState(bool disposeDbConnection)
    {
        base.ResetState(disposeDbConnection);
        CloseDbConnection();
    }

    protected override async ValueTask ResetStateAsync(bool disposeDbConnection)
    {
        if (CurrentTransaction is { } transaction) await transaction.DisposeAsync().ConfigureAwait(false);
        await CloseDbConnectionAsync().ConfigureAwait(false);
        ResetState(disposeDbConnection);
    }

    // The base class calls this only if it manages the connection itself.
    protected override DbConnection CreateDbConnection() => throw new NotSupportedException("The router opens the connections.");

    private void Replace(NpgsqlConnection? connection)
    {
        var former = Current;
        Current = connection;
        former?.Dispose();
    }

    private async Task ReplaceAsync(ValueTask<NpgsqlConnection> opening) => Replace(await opening.ConfigureAwait(false));
}
