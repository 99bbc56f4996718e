using Npgsql;

namespace ReplicaRouter.Pools;

/// <summary>A connection that a caller may open now. The pool counts it as in use until it is closed.</summary>
/// <param name="Connection">The connection, not open yet.</param>
/// <param name="Source">The pool.</param>
/// <param name="IsLogin">Whether opening it is expected to require a login.</param>
internal readonly record struct ConnectionLease(NpgsqlConnection Connection, HostDataSource Source, bool IsLogin)
{
    /// <summary>Starts to open it. A login continues when its caller gives up: most of its cost is already paid, and the next caller can use the connection.</summary>
    /// <param name="async">Whether to open it asynchronously. Otherwise it is open, or has failed, when this returns.</param>
    /// <param name="cancellationToken">Cancels the opening, unless it is a login.</param>
    public Task OpenAsync(bool async, CancellationToken cancellationToken)
    {
        if (!async) return Open();
        var opening = Connection.OpenAsync(IsLogin ? CancellationToken.None : cancellationToken);
        if (IsLogin || !opening.IsCompleted) _ = Source.CountLoginAsync(opening, IsLogin);
        return opening;
    }

    private Task Open()
    {
        var opening = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (IsLogin) _ = Source.CountLoginAsync(opening.Task, isExpected: true);
        try
        {
            Connection.Open();
            opening.SetResult();
        }
        catch (Exception e)
        {
            opening.SetException(e);
        }

        return opening.Task;
    }

    /// <summary>Starts to track the connection, which is now open.</summary>
    public NpgsqlConnection Opened()
    {
        Connection.StateChange += Source.OnStateChange;
        return Connection;
    }
}
