using System.Data;
using System.Transactions;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace ReplicaRouter;

/// <summary>The connection of a context's queries that read: routed anew for each of them, and beside that of writes and transactions.</summary>
internal sealed class ReadConnection(RelationalConnectionDependencies dependencies, DatabaseRouter router) : RouterConnection(dependencies, router)
{
    private DatabaseRoute _route;
    private OperationOptions? _options;
    private FailedAttempt? _failure;
    private string? _host;
    private int _port;
    private long _openedAt;
    private bool _isReported;

    // What runs in an ambient transaction runs on the context's own connection.
    public override Transaction? CurrentAmbientTransaction => null;

    /// <summary>States where the next opening leads. Each query states it right before it opens.</summary>
    public ReadConnection For(DatabaseRoute route, OperationOptions? options)
    {
        (_route, _options) = (route, options);
        return this;
    }

    /// <summary>
    /// Notes what ended something that the context did, so that a query is tried again elsewhere whose own connection broke under it, or which its standby
    /// cancelled. Whatever else the context met says nothing of the host that served its last query.
    /// </summary>
    public void Failed(Exception exception)
    {
        if (_host is null || _isReported) return;
        // EF closes a connection that is open, and leaves one that broke.
        var site = Current is { } connection && connection.FullState.HasFlag(ConnectionState.Broken) ? FailureSite.BrokenConnection : FailureSite.OpenConnection;
        if (site == FailureSite.OpenConnection && FailureClassifier.Classify(exception, site) != FailureKind.RecoveryConflict) return;
        _isReported = true;
        _failure = Router.Engine.Report(_host, _port, _route, exception, _openedAt, site);
    }

    protected override NpgsqlConnection OpenRouted()
    {
        var connection = TakeFailure() is { } failure
            ? Router.Engine.OpenElsewhereAsync(_route, _options, failure, async: false, CancellationToken.None).Wait()
            : Router.OpenConnection(_route, _options);
        return Noted(connection);
    }

    protected override ValueTask<NpgsqlConnection> OpenRoutedAsync(CancellationToken cancellationToken)
    {
        var opening = TakeFailure() is { } failure
            ? Router.Engine.OpenElsewhereAsync(_route, _options, failure, async: true, cancellationToken)
            : Router.OpenConnectionAsync(_route, _options, cancellationToken);
        return opening.IsCompletedSuccessfully ? new ValueTask<NpgsqlConnection>(Noted(opening.Result)) : NotedAsync(opening);
    }

    protected override void ResetState(bool disposeDbConnection)
    {
        base.ResetState(disposeDbConnection);
        _failure = null;
    }

    private FailedAttempt? TakeFailure()
    {
        var failure = _failure;
        _failure = null;
        return failure;
    }

    private NpgsqlConnection Noted(NpgsqlConnection connection)
    {
        (_host, _port, _openedAt, _isReported) = (connection.Host, connection.Port, Router.Engine.Timestamp, false);
        return connection;
    }

    private async ValueTask<NpgsqlConnection> NotedAsync(ValueTask<NpgsqlConnection> opening) => Noted(await opening.ConfigureAwait(false));
}
