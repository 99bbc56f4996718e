using System.Data;
using System.Transactions;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace ReplicaRouter;

/// <summary>The connection for a context's queries that read. It is routed for each query, and separate from that for writes and transactions.</summary>
internal sealed class ReadConnection(RelationalConnectionDependencies dependencies, DatabaseRouter router) : RouterConnection(dependencies, router)
{
    private DatabaseRoute _route;
    private OperationOptions? _options;
    private FailedHost? _failure;
    private string? _host;
    private int _port;
    private long _openedAt;
    private bool _isReported;

    // Work in an ambient transaction runs on the context's own connection.
    public override Transaction? CurrentAmbientTransaction => null;

    /// <summary>Sets the route of the next opening. Each query calls it right before opening.</summary>
    public ReadConnection For(DatabaseRoute route, OperationOptions? options)
    {
        (_route, _options) = (route, options);
        return this;
    }

    /// <summary>
    /// Records an error of the context, so that a query is retried elsewhere if its own connection broke, or its standby cancelled it. Other errors say
    /// nothing about the host that served the last query.
    /// </summary>
    public void Failed(Exception exception)
    {
        if (_host is null || _isReported) return;
        // By now EF has closed a working connection, but left a broken one.
        var site = Current is { } connection && connection.FullState.HasFlag(ConnectionState.Broken) ? FailureSite.BrokenConnection : FailureSite.OpenConnection;
        if (site == FailureSite.OpenConnection && FailureClassifier.Classify(exception, site) != FailureKind.RecoveryConflict) return;
        _isReported = true;
        _failure = Router.Engine.Report(_host, _port, _route, exception, _openedAt, site);
    }

    protected override NpgsqlConnection OpenRouted() => Noted(Router.Engine.OpenAsync(_route, _options, TakeFailure(), async: false, CancellationToken.None).Wait());

    protected override ValueTask<NpgsqlConnection> OpenRoutedAsync(CancellationToken cancellationToken)
    {
        var opening = TakeFailure() is { } failure
            ? Router.Engine.OpenAsync(_route, _options, failure, async: true, cancellationToken)
            : Router.OpenConnectionAsync(_route, _options, cancellationToken);
        return opening.IsCompletedSuccessfully ? new ValueTask<NpgsqlConnection>(Noted(opening.Result)) : NotedAsync(opening);
    }

    protected override void ResetState(bool disposeDbConnection)
    {
        base.ResetState(disposeDbConnection);
        _failure = null;
    }

    private FailedHost? TakeFailure()
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
