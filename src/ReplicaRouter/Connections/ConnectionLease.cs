using Npgsql;

namespace ReplicaRouter;

/// <summary>A connection that a caller may open now. The pool counts it until it is closed.</summary>
/// <param name="Connection">The connection, closed.</param>
/// <param name="Source">The pool.</param>
/// <param name="IsLogin">Whether opening it is expected to take a login.</param>
internal readonly record struct ConnectionLease(NpgsqlConnection Connection, HostDataSource Source, bool IsLogin)
{
    /// <summary>Begins to open it. A login goes on when its caller gives up: most of its cost is paid by then, and the next caller has the connection.</summary>
    public Task OpenAsync(CancellationToken cancellationToken)
    {
        var opening = Connection.OpenAsync(IsLogin ? CancellationToken.None : cancellationToken);
        if (IsLogin || !opening.IsCompleted) _ = Source.CountLoginAsync(opening, IsLogin);
        return opening;
    }

    public void Open()
    {
        if (!IsLogin)
        {
            Connection.Open();
            return;
        }

        var login = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _ = Source.CountLoginAsync(login.Task, isExpected: true);
        try
        {
            Connection.Open();
            login.SetResult();
        }
        catch
        {
            login.SetCanceled();
            throw;
        }
    }

    /// <summary>Notes that it is open.</summary>
    public NpgsqlConnection Opened()
    {
        Connection.StateChange += Source.OnStateChange;
        return Connection;
    }
}
