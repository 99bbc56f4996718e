namespace ReplicaRouter;

internal static class TaskExtensions
{
    /// <summary>Lets a task end unobserved: nobody waits for it any more, and its error tells nothing new.</summary>
    public static void Forget(this Task task) =>
        task.ContinueWith(static ended => _ = ended.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    /// <summary>Waits for a task for some time.</summary>
    /// <returns>Whether it has ended, well or not.</returns>
    public static async Task<bool> EndsWithinAsync(this Task task, TimeSpan limit, TimeProvider time, CancellationToken stop)
    {
        await task.WaitAsync(limit, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return task.IsCompleted;
    }
}
