namespace ReplicaRouter.Infrastructure;

internal static class TaskExtensions
{
    /// <summary>Lets a task end unobserved: nobody waits for it any more, and its error tells nothing new.</summary>
    public static void Forget(this Task task) =>
        task.ContinueWith(static ended => _ = ended.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    /// <summary>Waits for a task for some time, and says whether it has ended, well or not.</summary>
    public static async Task<bool> EndsWithinAsync(this Task task, TimeSpan limit, TimeProvider time, CancellationToken stop)
    {
        await task.WaitAsync(limit, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return task.IsCompleted;
    }

    /// <summary>The result of what was done synchronously; where something had to be waited for all the same, waits for it.</summary>
    public static T Wait<T>(this ValueTask<T> task) => task.IsCompletedSuccessfully ? task.Result : task.AsTask().GetAwaiter().GetResult();
}
