using Npgsql;

namespace ReplicaRouter;

/// <summary>A connection that is to be opened now.</summary>
/// <param name="Connection">It, closed.</param>
/// <param name="Tier">Whose place it has, until it is given back; null if Npgsql alone counts it.</param>
/// <param name="IsLogin">Whether it was counted as a login when the place was taken.</param>
internal readonly record struct TakenConnection(NpgsqlConnection Connection, HostDataSource? Tier, bool IsLogin)
{
    /// <summary>Begins to open it. A login goes on when its caller gives up, or is served sooner: it has cost most of what it costs, and the next caller has the connection.</summary>
    public Task OpenAsync(CancellationToken cancellationToken)
    {
        var opening = Connection.OpenAsync(IsLogin ? CancellationToken.None : cancellationToken);
        if (IsLogin || !opening.IsCompleted) _ = Tier?.CountLoginAsync(opening, IsLogin);
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
        _ = Tier!.CountLoginAsync(login.Task, isExpected: true);
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

    /// <summary>Notes that it is open: it gives back its place when it is closed.</summary>
    public NpgsqlConnection Opened()
    {
        Tier?.Follow(Connection);
        return Connection;
    }
}
