namespace ReplicaRouter.Pools;

/// <summary>Tells a command that ended in an error from one that was answered: Npgsql's meter gives the duration of both alike.</summary>
/// <remarks>
/// Npgsql reports an error, or breaks the connection, and then the command's duration, on one thread with nothing of ours in between. Where a caller reads rows
/// in between, a mark may get lost: that makes one sample too many.
/// </remarks>
internal static class FailedCommand
{
    [ThreadStatic]
    private static bool t_hasFailed;

    public static void Note() => t_hasFailed = true;

    /// <summary>Whether the command whose end is reported now has failed.</summary>
    public static bool Take()
    {
        var hasFailed = t_hasFailed;
        t_hasFailed = false;
        return hasFailed;
    }
}
