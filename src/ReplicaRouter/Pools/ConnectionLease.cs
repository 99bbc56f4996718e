using Npgsql;

namespace ReplicaRouter.Pools;

/// <summary>A connection that a caller may open now. The pool counts it until it is closed.</summary>
/// <param name="Connection">The connection, closed.</param>
/// <param name="Source">The pool.</param>
/// <param name="IsLogin">Whether opening it is expected to take a login.</param>
internal readonly record struct ConnectionLease(NpgsqlConnection Connection, HostDataSource Source, bool IsLogin)
{
    /// <summary>Begins to open it. A login goes on when its caller gives up: most of its cost is paid by then, and the next caller has the connection.</summary>
    /// <param name="async">Whether to open it without holding up the thread. Else it is open, or has failed, when this returns.</param>
    /// <param name="cancellationToken">Gives up.</param>
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

    /// <summary>Notes that it is open.</summary>
    public NpgsqlConnection Opened()
    {
        Connection.StateChange += Source.OnStateChange;
        return Connection;
    }
}
