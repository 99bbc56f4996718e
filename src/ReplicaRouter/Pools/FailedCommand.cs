namespace ReplicaRouter.Pools;

/// <summary>Distinguishes a failed command from one that was answered: Npgsql's meter reports the duration of both alike.</summary>
/// <remarks>
/// Npgsql reports an error (or breaks the connection) and then the command's duration on the same thread, with none of our code in between. If a caller reads rows in
/// between, the mark can be lost, which adds one sample too many.
/// </remarks>
internal static class FailedCommand
{
    [ThreadStatic]
    private static bool t_hasFailed;

    public static void Note() => t_hasFailed = true;

    /// <summary>Returns whether the command whose end is being reported failed, and resets the mark.</summary>
    public static bool Take()
    {
        var hasFailed = t_hasFailed;
        t_hasFailed = false;
        return hasFailed;
    }
}
