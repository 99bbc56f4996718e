using System.Data;
using Npgsql;

namespace ReplicaRouter;

/// <summary>A connection that is to be opened now.</summary>
/// <param name="Connection">It, closed.</param>
/// <param name="Tier">Whose place it has, until it is given back; null if Npgsql alone counts it.</param>
/// <param name="IsLogin">Whether it was counted as a login when the place was taken.</param>
internal readonly record struct TakenConnection(NpgsqlConnection Connection, HostDataSource? Tier, bool IsLogin)
{
    /// <summary>Begins to open it.</summary>
    public Task OpenAsync(CancellationToken cancellationToken)
    {
        var opening = Connection.OpenAsync(cancellationToken);
        if (IsLogin || !opening.IsCompleted) _ = CountAsync(opening);
        return opening;
    }

    public void Open()
    {
        try
        {
            Connection.Open();
        }
        finally
        {
            if (IsLogin) Tier!.LoginEnded(Connection.State == ConnectionState.Open);
        }
    }

    /// <summary>Notes that it is open: it gives back its place when it is closed.</summary>
    public NpgsqlConnection Opened()
    {
        Tier?.Follow(Connection);
        return Connection;
    }

    /// <summary>Counts a login until it is over, whether or not its caller waits for it.</summary>
    private async Task CountAsync(Task opening)
    {
        if (Tier is null) return;
        if (!IsLogin) Tier.LoginBegan();
        await Tier.Pool.CountLoginAsync(opening).ConfigureAwait(false);
        await opening.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Tier.LoginEnded(opening.IsCompletedSuccessfully);
    }
}
