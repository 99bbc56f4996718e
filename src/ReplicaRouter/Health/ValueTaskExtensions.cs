namespace ReplicaRouter;

internal static class ValueTaskExtensions
{
    /// <summary>The result of what was done synchronously; where something had to be waited for all the same, waits for it.</summary>
    public static T Wait<T>(this ValueTask<T> task) => task.IsCompletedSuccessfully ? task.Result : task.AsTask().GetAwaiter().GetResult();
}
